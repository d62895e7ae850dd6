//! CRC-64-AVRO of a schema's parsing canonical form, as single-object headers carry it.
//!
//! apache-avro 0.22 leaves `{"type":"long"}` in the canonical form where a logical type was, though the specification
//! makes it `"long"`; so writers in Rust name such a schema by another fingerprint than all others do. Both are known.

use apache_avro::Schema;

const PRIMITIVES: [&str; 8] =
    ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

/// What the empty text hashes to, and the polynomial.
const EMPTY: u64 = 0xc15d_213a_a4d7_a795;

/// The fingerprints that a writer may give `schema`: the specification's, then apache-avro's, often the same.
pub(crate) fn of(schema: &Schema) -> [u64; 2] {
    let theirs = schema.canonical_form();
    let right = PRIMITIVES.iter().fold(theirs.clone(), |text, name| {
        text.replace(&format!(r#"{{"type":"{name}"}}"#), &format!(r#""{name}""#))
    });
    [crc64(right.as_bytes()), crc64(theirs.as_bytes())]
}

fn crc64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(EMPTY, |hash, byte| {
        (0..8).fold(hash ^ u64::from(*byte), |hash, _| (hash >> 1) ^ (EMPTY * (hash & 1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprints_of_the_specification_come_out() {
        assert_eq!(crc64(b"\"null\""), 0x63dd_24e7_cc25_8f8a);
        assert_eq!(crc64(b"\"int\""), 0x7275_d51a_3f39_5c8f);
    }

    #[test]
    fn a_logical_type_is_known_as_other_writers_name_it() {
        let schema = r#"{"type":"long","logicalType":"timestamp-millis"}"#;
        let [right, _] = of(&Schema::parse_str(schema).unwrap());
        assert_eq!(right, crc64(b"\"long\""));
    }
}
