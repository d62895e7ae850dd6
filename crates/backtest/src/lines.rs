//! Lines of a growing file, with the place behind each: where reading goes on after a kill.
//!
//! A packed file goes on at a place in its text, so it is unpacked from its beginning up to there; that holds as well for
//! one that has grown by a further gzip member or zstd frame.

use crate::unpack::{Form, Packing, Unpacked, packing_of, raw, unpack};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Reads lines from a place on.
pub struct Lines<R> {
    input: R,
    /// The place behind the last whole line.
    place: u64,
    /// What was read of a line that has not ended yet.
    partial: Vec<u8>,
    partial_bytes: u64,
}

/// A line without its end, and the place behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub text: Vec<u8>,
    pub behind: u64,
}

/// What a line that never ends leaves in memory: one byte more than a record may have, so that it is refused as too
/// large and not as something that it isn't.
const KEPT: usize = tzeva_decode::MAX_RECORD + 1;
/// Bytes at hand.
const BUFFER: usize = 1 << 16;

/// Lines of a file, packed or plain. Places are those in its text.
pub struct FileLines {
    path: PathBuf,
    lines: Lines<Unpacked>,
    /// Of a packed file: its length when it was opened.
    packed: Option<u64>,
    /// Which file it is, whatever its name.
    identity: (u64, u64),
}

/// What is packed and ends before that place.
struct CutShort;

// === impl FileLines ===

impl FileLines {
    /// Opens a file at a place.
    ///
    /// # Errors
    /// If it can't be read, or has become shorter than that.
    pub fn open(path: &Path, place: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let there = file.metadata()?;
        let (length, identity) = (there.len(), (there.dev(), there.ino()));
        let (lines, packed) = match packing_of(&mut file)? {
            Packing::Plain(_) if length < place => return Err(another(length, place)),
            Packing::Plain(mark) if place > mark => {
                file.seek(SeekFrom::Start(place))?;
                (
                    Lines::new(Box::new(BufReader::with_capacity(BUFFER, file)) as Unpacked, place),
                    None,
                )
            }
            Packing::Plain(mark) => (Lines::new(text(raw(path)?)?, mark), None),
            Packing::Gzip | Packing::Zstd => {
                let text = behind(place, path);
                let cut = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
                let text = if text.as_ref().is_err_and(cut) { Ok(CutShort::text()) } else { text };
                (Lines::new(text?, place), Some(length))
            }
        };
        Ok(Self { path: path.to_owned(), lines, packed, identity })
    }

    /// The next line that has ended; `None`: nothing more is there now. With `whole` nothing more will come, and what
    /// follows the last line end is a line as well.
    ///
    /// # Errors
    /// If reading fails; with `whole` also if packed bytes are cut short. Without it also if the file was replaced by
    /// another one or has become shorter: what was written to it at last may never be seen.
    pub fn next_line(&mut self, whole: bool) -> io::Result<Option<Line>> {
        loop {
            match self.lines.next_line() {
                Ok(Some(line)) => return Ok(Some(line)),
                Ok(None) => {}
                // It is still being written.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !whole => {}
                Err(error) => return Err(error),
            }
            if self.reopened()? {
                continue;
            }
            if whole {
                return Ok(self.lines.rest());
            }
            self.is_still_there()?;
            return Ok(None);
        }
    }

    /// Looks under the name whether the file that was opened is there, with all that was read of it.
    fn is_still_there(&self) -> io::Result<()> {
        let there = match std::fs::metadata(&self.path) {
            // Perhaps it is moved back.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            there => there?,
        };
        let what = if (there.dev(), there.ino()) != self.identity {
            "was replaced by another file"
        } else if self.packed.is_none() && there.len() < self.lines.place {
            "has become shorter"
        } else {
            return Ok(());
        };
        let place = self.lines.place;
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "it {what} while it was followed, and what came behind byte {place} may not have been taken in: files of events \
                 may only grow; give a new one another name"
            ),
        ))
    }

    /// Opens a packed file that has another length now: an unpacker that met the end doesn't go on behind it.
    fn reopened(&mut self) -> io::Result<bool> {
        let Some(length) = self.packed else { return Ok(false) };
        if std::fs::metadata(&self.path)?.len() == length {
            return Ok(false);
        }
        *self = Self::open(&self.path, self.lines.place)?;
        Ok(true)
    }
}

// === impl CutShort ===

impl CutShort {
    fn text() -> Unpacked {
        Box::new(BufReader::new(Self))
    }
}

impl Read for CutShort {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

// === impl Lines ===

impl<R: BufRead> Lines<R> {
    pub fn new(input: R, place: u64) -> Self {
        Self { input, place, partial: Vec::new(), partial_bytes: 0 }
    }

    /// The next whole line; `None`: nothing more is there now. What follows the last line end waits for its own.
    ///
    /// # Errors
    /// If reading fails.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let end = chunk.iter().position(|&byte| byte == b'\n');
            let taken = end.unwrap_or(chunk.len());
            let room = KEPT - self.partial.len();
            self.partial.extend_from_slice(&chunk[..taken.min(room)]);
            let used = taken + usize::from(end.is_some());
            self.input.consume(used);
            self.partial_bytes += used as u64;
            if end.is_some() {
                return Ok(Some(self.cut()));
            }
        }
    }

    /// What follows the last line end, when nothing more will come.
    pub fn rest(&mut self) -> Option<Line> {
        (self.partial_bytes > 0).then(|| self.cut())
    }

    fn cut(&mut self) -> Line {
        self.place += std::mem::take(&mut self.partial_bytes);
        let mut text = std::mem::take(&mut self.partial);
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        Line { text, behind: self.place }
    }
}

/// The text of what `raw` gives.
///
/// # Errors
/// If it can't be read, or is no text.
pub fn text(raw: impl Read + Send + 'static) -> io::Result<Unpacked> {
    let refused = |name: &str| {
        let why = format!("{name} files are not taken in: give NDJSON");
        Err(io::Error::new(io::ErrorKind::InvalidData, why))
    };
    match unpack(raw)? {
        (Form::Lines, text) => Ok(text),
        (Form::Avro, _) => refused("Avro container"),
        (Form::Parquet, _) => refused("Parquet"),
    }
}

/// The text of a packed file behind a place.
fn behind(place: u64, path: &Path) -> io::Result<Unpacked> {
    let mut text = text(raw(path)?)?;
    let there = io::copy(&mut text.by_ref().take(place), &mut io::sink())?;
    if there < place { Err(another(there, place)) } else { Ok(text) }
}

/// What was taken in lay in another file of this name.
fn another(there: u64, place: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "it has {there} bytes, of which {place} were taken in before: this is another file, \
             give it another name"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn line(text: &str, behind: u64) -> Line {
        Line { text: text.into(), behind }
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    }

    fn zstd(text: &str) -> Vec<u8> {
        zstd::encode_all(text.as_bytes(), 1).unwrap()
    }

    fn all(path: &Path, place: u64) -> Vec<Line> {
        let mut lines = FileLines::open(path, place).unwrap();
        std::iter::from_fn(|| lines.next_line(true).unwrap()).collect()
    }

    #[test]
    fn a_line_is_given_only_when_it_has_ended() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"one\r\ntw").unwrap();
        let mut lines = FileLines::open(file.path(), 0).unwrap();
        assert_eq!(lines.next_line(false).unwrap(), Some(line("one", 5)));
        assert_eq!(lines.next_line(false).unwrap(), None);
        file.write_all(b"o\nthree").unwrap();
        assert_eq!(lines.next_line(false).unwrap(), Some(line("two", 9)));
        assert_eq!(lines.next_line(false).unwrap(), None);
        assert_eq!(lines.next_line(true).unwrap(), Some(line("three", 14)));
        assert_eq!(lines.next_line(true).unwrap(), None);
    }

    #[test]
    fn reading_goes_on_behind_any_line_of_a_packed_file_as_of_a_plain_one() {
        let text = "one\n\ntwo is longer\r\nthree";
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        for (bytes, begin) in [(text.into(), 0), (gzip(text), 0), (zstd(text), 0), (marked, 3)] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&bytes).unwrap();
            let lines = all(file.path(), 0);
            let places: Vec<u64> = lines.iter().map(|line| line.behind - begin).collect();
            assert_eq!(places, [4, 5, 20, 25]);
            assert_eq!(lines[2].text, b"two is longer");
            for (at, line) in lines.iter().enumerate() {
                assert_eq!(all(file.path(), line.behind), lines[at + 1..]);
            }
        }
    }

    #[test]
    fn a_packed_file_is_followed_through_half_a_member_and_on_to_the_next() {
        for pack in [gzip, zstd] {
            let (first, second) = (pack("one\ntw"), pack("o\nthree\n"));
            let mut file = tempfile::NamedTempFile::new().unwrap();
            let (half, rest) = first.split_at(first.len() - 3);
            file.write_all(half).unwrap();
            let mut lines = FileLines::open(file.path(), 0).unwrap();
            // How much of half a member can be told is the unpacker's affair.
            let early = lines.next_line(false).unwrap();
            assert!(early.is_none() || early == Some(line("one", 4)), "{early:?}");
            assert_eq!(lines.next_line(true).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
            file.write_all(rest).unwrap();
            let next = if early.is_none() { lines.next_line(false).unwrap() } else { early };
            assert_eq!(next, Some(line("one", 4)));
            assert_eq!(lines.next_line(false).unwrap(), None);
            file.write_all(&second).unwrap();
            assert_eq!(lines.next_line(false).unwrap(), Some(line("two", 8)));
            assert_eq!(lines.next_line(false).unwrap(), Some(line("three", 14)));
            assert_eq!(lines.next_line(false).unwrap(), None);
        }
    }

    #[test]
    fn a_line_too_long_keeps_what_shows_that_it_is_too_long() {
        let mut text = vec![b'a'; KEPT + 1000];
        text.extend_from_slice(b"\nb\n");
        let mut lines = Lines::new(&text[..], 0);
        assert_eq!(lines.next_line().unwrap().unwrap().text.len(), KEPT);
        assert_eq!(lines.next_line().unwrap().unwrap().text, b"b");
    }

    #[test]
    fn a_followed_file_that_is_replaced_or_cut_is_an_error_and_not_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        for (rotated, what) in [(false, "has become shorter"), (true, "replaced")] {
            std::fs::write(&path, "one\ntwo\n").unwrap();
            let mut lines = FileLines::open(&path, 0).unwrap();
            assert_eq!(lines.next_line(false).unwrap(), Some(line("one", 4)));
            assert_eq!(lines.next_line(false).unwrap(), Some(line("two", 8)));
            assert_eq!(lines.next_line(false).unwrap(), None);
            if rotated {
                std::fs::rename(&path, path.with_extension("1")).unwrap();
                std::fs::write(&path, "four\nfive\nsix\nseven\n").unwrap();
            } else {
                std::fs::write(&path, "").unwrap();
            }
            let error = lines.next_line(false).unwrap_err().to_string();
            assert!(error.contains(what) && error.contains("byte 8"), "{error}");
        }
    }

    #[test]
    fn a_file_that_has_become_shorter_is_refused() {
        for bytes in [b"one\n".to_vec(), gzip("one\n"), zstd("one\n")] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&bytes).unwrap();
            let refused = FileLines::open(file.path(), 500).err().unwrap();
            assert!(refused.to_string().contains("another file"), "{refused}");
        }
    }
}
