//! Lines of a growing file, with the place behind each: where reading goes on after a kill.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

/// Reads lines from a place on.
pub(super) struct Lines<R> {
    input: R,
    /// The place behind the last whole line.
    place: u64,
    /// What was read of a line that has not ended yet.
    partial: Vec<u8>,
    partial_bytes: u64,
}

/// A line without its end, and the place behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: Vec<u8>,
    pub(super) behind: u64,
}

/// What a line that never ends leaves in memory: one byte more than a record may have, so that it is refused as too
/// large and not as something that it isn't.
const KEPT: usize = tzeva_decode::MAX_RECORD + 1;

// === impl Lines ===

impl Lines<BufReader<File>> {
    /// Opens a file at a place.
    ///
    /// # Errors
    /// If it can't be read, or has become shorter than that.
    pub(super) fn open(path: &Path, place: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        if length < place {
            return Err(io::Error::other(format!(
                "it has {length} bytes, of which {place} were taken in before: this is another \
                 file, give it another name"
            )));
        }
        file.seek(SeekFrom::Start(place))?;
        Ok(Self::new(BufReader::with_capacity(1 << 16, file), place))
    }
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R, place: u64) -> Self {
        Self { input, place, partial: Vec::new(), partial_bytes: 0 }
    }

    /// The next whole line; `None`: nothing more is there now. What follows the last line end waits for its own.
    ///
    /// # Errors
    /// If reading fails.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line>> {
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
    pub(super) fn rest(&mut self) -> Option<Line> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn line(text: &str, behind: u64) -> Line {
        Line { text: text.into(), behind }
    }

    #[test]
    fn a_line_is_given_only_when_it_has_ended() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"one\r\ntw").unwrap();
        let mut lines = Lines::open(file.path(), 0).unwrap();
        assert_eq!(lines.next_line().unwrap(), Some(line("one", 5)));
        assert_eq!(lines.next_line().unwrap(), None);
        file.write_all(b"o\nthree").unwrap();
        assert_eq!(lines.next_line().unwrap(), Some(line("two", 9)));
        assert_eq!(lines.next_line().unwrap(), None);
        assert_eq!(lines.rest(), Some(line("three", 14)));
        assert_eq!(lines.rest(), None);
        let mut again = Lines::open(file.path(), 5).unwrap();
        assert_eq!(again.next_line().unwrap(), Some(line("two", 9)));
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
    fn a_file_that_has_become_shorter_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"one\n").unwrap();
        assert!(Lines::open(file.path(), 5).is_err());
    }
}
