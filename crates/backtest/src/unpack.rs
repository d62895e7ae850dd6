//! What lies in a file of events, told by its first bytes and never by its name: gzip and zstd are unpacked, a byte
//! order mark is dropped, and then it is lines, an Avro container or Parquet.
//!
//! Whoever reads events of files or of stdin opens them here, so that all commands take the same files.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

/// What unpacked bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A JSON object a line; whatever isn't one of the others.
    Lines,
    /// An Avro object container file.
    Avro,
    /// A Parquet file.
    Parquet,
}

/// How bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all; so many bytes stand before the text: those of a byte order mark.
    Plain(u64),
    /// gzip, one member after the other.
    Gzip,
    /// zstd, one frame after the other.
    Zstd,
}

/// Unpacked bytes.
pub type Unpacked = Box<dyn BufRead + Send>;

/// First bytes, and a reader that still has them.
type Peeked<R> = (Vec<u8>, io::Chain<Cursor<Vec<u8>>, R>);

/// Bytes that tell a form.
const HEAD: usize = 4;
/// How much is read at once.
const BUFFER: usize = 1 << 17;

/// The bytes of the file at `path`, or of stdin for `-`, as they lie there.
///
/// # Errors
/// The file can't be opened; a retry rarely helps.
pub fn raw(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok(Box::new(file))
}

/// Takes gzip, zstd and a byte order mark away from `raw`. Waits for its first bytes.
///
/// # Errors
/// `raw` can't be read. Damaged packing is an error of a later read.
pub fn unpack(raw: impl Read + Send + 'static) -> io::Result<(Form, Unpacked)> {
    let (head, raw) = peeked(raw)?;
    match packing(&head) {
        Packing::Gzip => told(flate2::bufread::MultiGzDecoder::new(buffered(raw))),
        Packing::Zstd => told(zstd::stream::read::Decoder::with_buffer(buffered(raw))?),
        Packing::Plain(_) => told(raw),
    }
}

/// How what `raw` gives is packed. Reads its first bytes.
///
/// # Errors
/// `raw` can't be read.
pub fn packing_of(raw: impl Read) -> io::Result<Packing> {
    peeked(raw).map(|(head, _)| packing(&head))
}

fn packing(head: &[u8]) -> Packing {
    match head {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Packing::Zstd,
        _ => Packing::Plain(marked(head)),
    }
}

/// The length of the byte order mark that it begins with, if it does.
fn marked(head: &[u8]) -> u64 {
    if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
}

/// What else begins as `head` does, of lines that are no events, and how it becomes lines.
pub fn mistaken(head: &[u8]) -> Option<&'static str> {
    match head.trim_ascii_start() {
        [b'[', ..] => {
            Some("the file is a JSON array: make it an object a line, `jq -c '.[]' FILE`")
        }
        [b'B', b'Z', b'h', ..] => Some("the file is packed by bzip2: unpack it, `bzip2 -dc FILE`"),
        [b'P', b'K', 3, 4, ..] => Some("the file is a zip archive: unpack it, `unzip -p FILE`"),
        [0xfd, b'7', b'z', b'X', ..] => Some("the file is packed by xz: unpack it, `xz -dc FILE`"),
        _ => None,
    }
}

/// Tells the form of what is packed no more.
fn told(plain: impl Read + Send + 'static) -> io::Result<(Form, Unpacked)> {
    let (head, plain) = peeked(plain)?;
    let mut plain = buffered(plain);
    let form = match head.as_slice() {
        b"Obj\x01" => Form::Avro,
        b"PAR1" => Form::Parquet,
        _ => Form::Lines,
    };
    io::copy(&mut plain.by_ref().take(marked(&head)), &mut io::sink())?;
    Ok((form, Box::new(plain)))
}

/// The first bytes, fewer at the end only, and a reader that still has them.
fn peeked<R: Read>(mut raw: R) -> io::Result<Peeked<R>> {
    let mut head = Vec::with_capacity(HEAD);
    raw.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(raw)))
}

fn buffered<R: Read>(raw: R) -> BufReader<R> {
    BufReader::with_capacity(BUFFER, raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// A pipe that gives a byte at a time.
    struct Dripping(Cursor<Vec<u8>>);

    impl Read for Dripping {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    fn read(packed: Vec<u8>) -> (Form, Vec<u8>) {
        let (form, mut plain) = unpack(Dripping(Cursor::new(packed))).unwrap();
        let mut bytes = Vec::new();
        plain.read_to_end(&mut bytes).unwrap();
        (form, bytes)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        gzip.finish().unwrap()
    }

    #[test]
    fn form_and_packing_are_told_by_the_first_bytes() {
        for (text, form) in [
            (&b"{}\n{}"[..], Form::Lines),
            (b"", Form::Lines),
            (b"{", Form::Lines),
            (b"Obj\x01 and more", Form::Avro),
            (b"PAR1 and more", Form::Parquet),
        ] {
            let want = (form, text.to_vec());
            assert_eq!(read(text.to_vec()), want);
            assert_eq!(read(gzip(text)), want);
            assert_eq!(read(zstd::encode_all(text, 1).unwrap()), want);
        }
        assert_eq!(read([gzip(b"a\n"), gzip(b"b\n")].concat()).1, b"a\nb\n", "members in a row");
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(read(b"\xef\xbb\xbf{}".to_vec()), (Form::Lines, b"{}".to_vec()));
        assert_eq!(read(gzip(b"\xef\xbb\xbf{}")), (Form::Lines, b"{}".to_vec()));
    }
}
