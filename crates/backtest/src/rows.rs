//! Rows of a Parquet file as lines of JSON: a column is the member of its name, one with points in its name
//! (`properties.price`) a member of the member before the point. What a row means is told by its line.

use anyhow::{Context, bail};
use parquet::basic::{Compression, LogicalType, TimeUnit};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::{Type, TypePtr};
use serde_json::{Map, Number, Value};
use std::fs::File;
use std::path::Path;
use tzeva_model::UnixMillis;

/// The rows of a file.
pub(crate) struct Rows {
    rows: RowIter<'static>,
    /// A group of all columns.
    schema: TypePtr,
}

// === impl Rows ===

impl Rows {
    /// Opens a file.
    ///
    /// # Errors
    /// It can't be read, is damaged, or packed in a way that is not known; and stdin or a packed file, which can't be
    /// read from its end on.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).context("a Parquet file must lie on the disk as it is")?;
        let reader = SerializedFileReader::new(file)
            .context("the Parquet file is damaged, or packed: Parquet packs by itself")?;
        can_unpack(reader.metadata())?;
        let schema = reader.metadata().file_metadata().schema_descr().root_schema_ptr();
        let reader: Box<dyn FileReader> = Box::new(reader);
        Ok(Self { rows: RowIter::from_file_into(reader), schema })
    }

    /// Appends the line of the next row; false: there is none.
    ///
    /// # Errors
    /// The file can't be read, or is damaged.
    pub(crate) fn line(&mut self, out: &mut Vec<u8>) -> anyhow::Result<bool> {
        let Some(row) = self.rows.next() else { return Ok(false) };
        serde_json::to_writer(out, &object(&row?, Some(&self.schema)))?;
        Ok(true)
    }
}

fn can_unpack(file: &ParquetMetaData) -> anyhow::Result<()> {
    for column in file.row_groups().iter().flat_map(|group| group.columns()) {
        match column.compression() {
            Compression::UNCOMPRESSED
            | Compression::SNAPPY
            | Compression::GZIP(_)
            | Compression::ZSTD(_) => {}
            other => bail!(
                "its column `{}` is packed with {other}, which is not known here: write the file with snappy, gzip or zstd",
                column.column_path().string()
            ),
        }
    }
    Ok(())
}

/// A row as an object; `group` is what its columns are, where that is known.
fn object(row: &Row, group: Option<&Type>) -> Value {
    let columns = group.filter(|group| group.is_group()).map_or(&[][..], Type::get_fields);
    let mut object = Map::new();
    for (place, (name, field)) in row.get_column_iter().enumerate() {
        insert(&mut object, name, column(field, columns.get(place).map(AsRef::as_ref)));
    }
    Value::Object(object)
}

/// The value of a column of type `kind`.
fn column(field: &Field, kind: Option<&Type>) -> Value {
    match (field, kind.and_then(|kind| kind.get_basic_info().logical_type_ref())) {
        // Of nanoseconds, and of instants without a zone (which are taken for UTC), a row has the bare number.
        (Field::Long(given), Some(LogicalType::Timestamp(time))) => instant(match time.unit {
            TimeUnit::MILLIS => *given,
            TimeUnit::MICROS => given.div_euclid(1_000),
            TimeUnit::NANOS => given.div_euclid(1_000_000),
        }),
        (Field::Group(row), _) => object(row, kind),
        _ => value(field),
    }
}

/// Puts `value` at the path that `name` is. A column of no value, and one whose way another column bars, say nothing.
fn insert(object: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        _ if value.is_null() => {}
        Some((first, rest)) => {
            let inner = object.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
        None => drop(object.insert(name.to_owned(), value)),
    }
}

fn value(field: &Field) -> Value {
    let float = |number: f64| Number::from_f64(number).map_or(Value::Null, Value::Number);
    match field {
        Field::Null => Value::Null,
        Field::Bool(given) => Value::Bool(*given),
        Field::Byte(number) => (*number).into(),
        Field::Short(number) => (*number).into(),
        Field::Int(number) => (*number).into(),
        Field::Long(number) => (*number).into(),
        Field::UByte(number) => (*number).into(),
        Field::UShort(number) => (*number).into(),
        Field::UInt(number) => (*number).into(),
        Field::ULong(number) => (*number).into(),
        // By its shortest text: 19.99 of 32 bits is 19.99 and no longer number of 64.
        Field::Float(number) => number.to_string().parse().map_or(Value::Null, float),
        Field::Double(number) => float(*number),
        Field::Str(text) => text.as_str().into(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned().into(),
        Field::TimestampMillis(ms) => instant(*ms),
        Field::TimestampMicros(us) => instant(us.div_euclid(1_000)),
        Field::Group(row) => object(row, None),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        Field::MapInternal(map) => {
            let mut object = Map::new();
            for (key, field) in map.entries() {
                let key = value(key);
                let name = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                object.insert(name, value(field));
            }
            Value::Object(object)
        }
        // Decimals, dates, times of day: their text.
        other => text(&other.to_string()),
    }
}

fn instant(ms: i64) -> Value {
    text(&UnixMillis::new(ms).to_string())
}

fn text(text: &str) -> Value {
    text.trim_matches('"').into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    const SCHEMA: &str = "message event {
        required binary type (UTF8);
        required binary anonymousId (UTF8);
        required int64 timestamp (TIMESTAMP({unit}));
        optional double properties.price;
        optional group context { optional binary channel (UTF8); }
    }";

    fn texts(column: &mut SerializedColumnWriter<'_>, texts: &[&str], levels: Option<&[i16]>) {
        let texts: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(*text)).collect();
        column.typed::<ByteArrayType>().write_batch(&texts, levels, None).unwrap();
    }

    /// Two rows, packed by `codec`, their instants in `unit`, of which so many make a millisecond; the second has neither
    /// a price nor a channel.
    fn file(codec: Compression, (unit, in_a_ms): (&str, i64)) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let schema = Arc::new(parse_message_type(&SCHEMA.replace("{unit}", unit)).unwrap());
        let properties = Arc::new(WriterProperties::builder().set_compression(codec).build());
        let out = file.reopen().unwrap();
        let mut writer = SerializedFileWriter::new(out, schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for place in 0.. {
            let Some(mut column) = group.next_column().unwrap() else { break };
            match place {
                0 => texts(&mut column, &["track", "track"], None),
                1 => texts(&mut column, &["v-1", "v-2"], None),
                2 => {
                    let instants = [1_767_225_600_123 * in_a_ms, -in_a_ms];
                    column.typed::<Int64Type>().write_batch(&instants, None, None).unwrap();
                }
                3 => {
                    column
                        .typed::<DoubleType>()
                        .write_batch(&[19.99], Some(&[1, 0]), None)
                        .unwrap();
                }
                _ => texts(&mut column, &["web"], Some(&[2, 0])),
            }
            column.close().unwrap();
        }
        group.close().unwrap();
        writer.close().unwrap();
        file
    }

    #[test]
    fn a_row_becomes_the_line_that_it_stands_for_however_it_is_packed() {
        let files = [
            (Compression::UNCOMPRESSED, ("MILLIS,true", 1)),
            (Compression::SNAPPY, ("MICROS,true", 1_000)),
            (Compression::GZIP(parquet::basic::GzipLevel::default()), ("NANOS,true", 1_000_000)),
            (Compression::ZSTD(parquet::basic::ZstdLevel::default()), ("MICROS,false", 1_000)),
        ];
        for (codec, unit) in files {
            let file = file(codec, unit);
            let mut rows = Rows::open(file.path()).unwrap();
            let lines = std::iter::from_fn(|| {
                let mut out = Vec::new();
                rows.line(&mut out).unwrap().then(|| serde_json::from_slice(&out).unwrap())
            });
            let want = [
                serde_json::json!({
                    "type": "track", "anonymousId": "v-1", "timestamp": "2026-01-01T00:00:00.123Z",
                    "properties": { "price": 19.99 }, "context": { "channel": "web" },
                }),
                serde_json::json!({
                    "type": "track", "anonymousId": "v-2", "timestamp": "1969-12-31T23:59:59.999Z",
                }),
            ];
            assert_eq!(lines.collect::<Vec<Value>>(), want, "{codec:?}, {unit:?}");
        }
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let file = file(Compression::SNAPPY, ("MILLIS,true", 1));
        let bytes = std::fs::read(file.path()).unwrap();
        std::fs::write(file.path(), &bytes[..bytes.len() - 9]).unwrap();
        assert!(Rows::open(file.path()).is_err());
    }
}
