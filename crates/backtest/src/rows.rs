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
