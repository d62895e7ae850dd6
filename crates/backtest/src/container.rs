//! Avro object container files, as far as blocks: whoever reads the datums of one has its schema and unpacks it.

use crate::unpack::Unpacked;
use anyhow::{Context, bail, ensure};
use std::io::{self, BufRead, Read};

/// An open container.
pub struct Container {
    from: Unpacked,
    schema: String,
    codec: Codec,
    /// What stands behind each block.
    sync: [u8; 16],
}

/// How blocks are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
}

/// The largest block that is read, packed or not.
const BLOCK: u64 = 256 << 20;
/// The largest header field: a schema of that size is none.
const FIELD: u64 = 16 << 20;

// === impl Container ===

impl Container {
    /// Reads the header.
    ///
    /// # Errors
    /// It is damaged, or names a codec that we don't know.
    pub fn open(mut from: Unpacked) -> anyhow::Result<Self> {
        let header = || "the header of an Avro container file is damaged";
        let mut magic = [0; 4];
        from.read_exact(&mut magic).with_context(header)?;
        let (mut schema, mut codec) = (None, Codec::Null);
        loop {
            let count = long(&mut from).with_context(header)?;
            if count == 0 {
                break;
            }
            if count < 0 {
                long(&mut from).with_context(header)?;
            }
            for _ in 0..count.unsigned_abs() {
                let key = field(&mut from).with_context(header)?;
                let value = field(&mut from).with_context(header)?;
                match key.as_slice() {
                    b"avro.schema" => schema = Some(value),
                    b"avro.codec" => codec = Codec::named(&value)?,
                    _ => {}
                }
            }
        }
        let schema = schema.context("the Avro container file has no schema")?;
        let schema = String::from_utf8(schema).with_context(header)?;
        let mut sync = [0; 16];
        from.read_exact(&mut sync).with_context(header)?;
        Ok(Self { from, schema, codec, sync })
    }

    /// The writer's schema, as JSON.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// The next block: how many datums it holds, and its bytes, packed. `None` at the end.
    ///
    /// # Errors
    /// The file is damaged or ends within a block.
    pub fn next_block(&mut self) -> anyhow::Result<Option<(u64, Vec<u8>)>> {
        if self.from.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let damaged = || "the Avro container file is damaged, or ends within a block";
        let count = u64::try_from(long(&mut self.from).with_context(damaged)?);
        let count = count.ok().filter(|count| *count <= BLOCK).with_context(damaged)?;
        let bytes = bytes(&mut self.from, BLOCK).with_context(damaged)?;
        let mut sync = [0; 16];
        self.from.read_exact(&mut sync).with_context(damaged)?;
        ensure!(sync == self.sync, damaged());
        Ok(Some((count, bytes)))
    }
}

// === impl Codec ===

impl Codec {
    fn named(name: &[u8]) -> anyhow::Result<Self> {
        Ok(match name {
            b"null" | b"" => Self::Null,
            b"deflate" => Self::Deflate,
            b"snappy" => Self::Snappy,
            b"zstandard" => Self::Zstandard,
            other => bail!(
                "the Avro container file is packed with `{}`: write it with null, deflate, snappy or zstandard",
                String::from_utf8_lossy(other)
            ),
        })
    }

    /// Unpacks a block.
    ///
    /// # Errors
    /// The block is damaged.
    pub fn unpack(self, packed: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        match self {
            Self::Null => return Ok(packed),
            Self::Deflate => {
                let reader = flate2::bufread::DeflateDecoder::new(packed.as_slice());
                reader.take(BLOCK).read_to_end(&mut plain)?;
            }
            Self::Zstandard => {
                let reader = zstd::stream::read::Decoder::with_buffer(packed.as_slice())?;
                reader.take(BLOCK).read_to_end(&mut plain)?;
            }
            Self::Snappy => {
                // The last four bytes are a checksum of what is packed.
                let (packed, _) = packed.split_last_chunk::<4>().ok_or_else(damaged)?;
                if snap::raw::decompress_len(packed).map_err(io::Error::other)? as u64 > BLOCK {
                    return Err(damaged());
                }
                plain = snap::raw::Decoder::new().decompress_vec(packed)?;
            }
        }
        Ok(plain)
    }
}

fn field(from: &mut Unpacked) -> io::Result<Vec<u8>> {
    bytes(from, FIELD)
}

/// Bytes behind their length.
fn bytes(from: &mut Unpacked, limit: u64) -> io::Result<Vec<u8>> {
    let length = u64::try_from(long(from)?).ok().filter(|length| *length <= limit);
    let length = length.ok_or_else(damaged)?;
    let mut bytes = Vec::new();
    let read = from.by_ref().take(length).read_to_end(&mut bytes)?;
    if read as u64 == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Zigzag, seven bits a byte.
fn long(from: &mut Unpacked) -> io::Result<i64> {
    let mut raw = 0_u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        raw |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed());
        }
    }
    Err(damaged())
}

#[cold]
fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the bytes make no sense")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unpack::{Form, unpack};
    use std::io::{Cursor, Write};

    fn long(number: usize) -> Vec<u8> {
        let (mut raw, mut bytes) = (number << 1, Vec::new());
        while raw >= 0x80 {
            bytes.push(raw.to_le_bytes()[0] | 0x80);
            raw >>= 7;
        }
        bytes.push(raw.to_le_bytes()[0]);
        bytes
    }

    fn text(bytes: &[u8]) -> Vec<u8> {
        [&long(bytes.len()), bytes].concat()
    }

    fn packed(codec: &str, plain: &[u8]) -> Vec<u8> {
        match codec {
            "deflate" => {
                let level = flate2::Compression::fast();
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "snappy" => {
                let bytes = snap::raw::Encoder::new().compress_vec(plain).unwrap();
                [&bytes[..], &[1, 2, 3, 4]].concat()
            }
            "zstandard" => zstd::encode_all(plain, 1).unwrap(),
            _ => plain.to_vec(),
        }
    }

    /// A container of two blocks.
    fn container(codec: &str, plain: &[u8]) -> Vec<u8> {
        let sync = [7; 16];
        let block = [&long(3)[..], &text(&packed(codec, plain)), &sync].concat();
        let schema = text(br#"{"type":"record"}"#);
        let meta = [text(b"avro.schema"), schema, text(b"avro.codec"), text(codec.as_bytes())];
        [&b"Obj\x01"[..], &long(2), &meta.concat(), &[0], &sync, &block, &block].concat()
    }

    fn open(bytes: &[u8]) -> anyhow::Result<Container> {
        let (form, plain) = unpack(Cursor::new(bytes.to_vec()))?;
        assert_eq!(form, Form::Avro);
        Container::open(plain)
    }

    fn blocks(bytes: &[u8]) -> anyhow::Result<Vec<(u64, Vec<u8>)>> {
        let mut container = open(bytes)?;
        assert_eq!(container.schema(), r#"{"type":"record"}"#);
        let mut blocks = Vec::new();
        while let Some((count, bytes)) = container.next_block()? {
            blocks.push((count, container.codec().unpack(bytes)?));
        }
        Ok(blocks)
    }

    #[test]
    fn blocks_are_unpacked_by_the_codec_that_the_header_names() {
        let plain = b"three records, three records, three records".to_vec();
        for codec in ["null", "deflate", "snappy", "zstandard"] {
            let want = vec![(3, plain.clone()), (3, plain.clone())];
            assert_eq!(blocks(&container(codec, &plain)).unwrap(), want, "{codec}");
        }
        let refused = open(&container("bzip2", &plain)).err().unwrap().to_string();
        assert!(refused.contains("bzip2") && refused.contains("snappy"), "{refused}");
    }

    #[test]
    fn no_damage_passes_for_the_end_of_a_file() {
        let plain = b"three records, three records";
        let whole = container("deflate", plain);
        let block = 1 + text(&packed("deflate", plain)).len() + 16;
        let header = whole.len() - 2 * block;
        for end in header + 1..whole.len() {
            let found = blocks(&whole[..end]).map(|blocks| blocks.len()).ok();
            assert_eq!(found, (end == header + block).then_some(1), "{end} of {}", whole.len());
        }
        let mut other = whole.clone();
        *other.last_mut().unwrap() ^= 1;
        assert!(blocks(&other).is_err(), "another mark behind the block");
    }
}
