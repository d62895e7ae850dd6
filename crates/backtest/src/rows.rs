//! Rows of a Parquet file as lines of JSON: a column is the member of its name, one with points in its name
//! (`properties.price`) a member of the member before the point. What a row means is told by its line.

use anyhow::Context;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use serde_json::{Map, Number, Value};
use std::fs::File;
use std::path::Path;
use tzeva_model::UnixMillis;

/// The rows of a file.
///
/// # Errors
/// It can't be read, or is damaged; and stdin or a packed file, which can't be read from its end on.
pub(crate) fn open(path: &Path) -> anyhow::Result<RowIter<'static>> {
    let file = File::open(path).context("a Parquet file must lie on the disk as it is")?;
    let reader = SerializedFileReader::new(file)
        .context("the Parquet file is damaged, or packed: Parquet packs by itself")?;
    let reader: Box<dyn FileReader> = Box::new(reader);
    Ok(RowIter::from_file_into(reader))
}

/// Appends the line of a row.
///
/// # Errors
/// None that data can cause.
pub(crate) fn line(row: &Row, out: &mut Vec<u8>) -> anyhow::Result<()> {
    serde_json::to_writer(out, &object(row))?;
    Ok(())
}

fn object(row: &Row) -> Value {
    let mut object = Map::new();
    for (name, field) in row.get_column_iter() {
        insert(&mut object, name, value(field));
    }
    Value::Object(object)
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
        Field::Group(row) => object(row),
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
    use parquet::basic::Compression;
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    const SCHEMA: &str = "message event {
        required binary type (UTF8);
        required binary anonymousId (UTF8);
        required int64 timestamp (TIMESTAMP_MILLIS);
        optional double properties.price;
        optional group context { optional binary channel (UTF8); }
    }";

    fn texts(column: &mut SerializedColumnWriter<'_>, texts: &[&str], levels: Option<&[i16]>) {
        let texts: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(*text)).collect();
        column.typed::<ByteArrayType>().write_batch(&texts, levels, None).unwrap();
    }

    /// Two rows, packed by `codec`; the second has neither a price nor a channel.
    fn file(codec: Compression) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
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
                    let instants = [1_767_225_600_123, -1];
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
        let codecs = [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(parquet::basic::GzipLevel::default()),
            Compression::ZSTD(parquet::basic::ZstdLevel::default()),
        ];
        for codec in codecs {
            let file = file(codec);
            let lines = open(file.path()).unwrap().map(|row| {
                let mut out = Vec::new();
                line(&row.unwrap(), &mut out).unwrap();
                serde_json::from_slice::<Value>(&out).unwrap()
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
            assert_eq!(lines.collect::<Vec<_>>(), want, "{codec:?}");
        }
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let file = file(Compression::SNAPPY);
        let bytes = std::fs::read(file.path()).unwrap();
        std::fs::write(file.path(), &bytes[..bytes.len() - 9]).unwrap();
        assert!(open(file.path()).is_err());
    }
}
