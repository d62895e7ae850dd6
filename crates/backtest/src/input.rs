//! Files of events as blocks, to be decoded by whoever is free.

use crate::container::{Codec, Container};
use crate::unpack::{Form, Unpacked, mistaken, raw, unpack};
use anyhow::Context;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tzeva_decode::MAX_RECORD;
use tzeva_model::Rejection;

/// Some records one after the other. Records are numbered through all files, so that the number alone is the order of
/// arrival.
#[derive(Debug)]
pub enum Block {
    /// Lines of JSON.
    Lines(Lines),
    /// A block of an Avro container.
    Datums(Datums),
}

/// Lines of JSON.
#[derive(Debug, Default)]
pub struct Lines {
    pub bytes: Vec<u8>,
    pub lines: Vec<LineAt>,
}

/// A line of a block, without its end.
#[derive(Clone, Copy, Debug)]
pub struct LineAt {
    pub number: u64,
    pub start: u32,
    pub len: u32,
}

/// Avro datums, packed as they lie in the file.
#[derive(Debug)]
pub struct Datums {
    /// Which file they are from.
    pub file: u32,
    pub schema: Arc<str>,
    pub codec: Codec,
    /// The first one's number, and how many there are.
    pub numbers: (u64, u64),
    pub bytes: Vec<u8>,
}

/// What was read: from which number on which file speaks.
#[derive(Debug, Default)]
pub struct Places {
    files: Vec<(u64, PathBuf)>,
    /// Of a file's first number: what the file is, if that is no event.
    mistaken: Vec<(u64, &'static str)>,
}

/// Counts what was read of the files as they lie on the disk.
struct Counted<R>(R, Arc<AtomicU64>);

/// Who gets the blocks.
pub trait Sink {
    /// Takes a block; says whether to go on.
    fn take(&mut self, block: Block) -> bool;

    /// An empty block to be filled: best one that was filled before, since room that is asked for anew has to be wiped.
    fn blank(&mut self) -> Lines {
        Lines::default()
    }
}

/// A block is handed on when it holds this much.
const BLOCK: usize = 1 << 20;
/// A line is kept up to here: enough to be refused as too large.
const LINE: usize = MAX_RECORD + 1;

// === impl Places ===

impl Places {
    /// `file:line` of a line number, `file:row` of a row's.
    pub fn name(&self, number: u64) -> String {
        let place = self.files.partition_point(|(first, _)| *first <= number);
        match place.checked_sub(1).and_then(|place| self.files.get(place)) {
            Some((first, path)) => format!("{}:{}", path.display(), number - first + 1),
            None => format!("line {number}"),
        }
    }

    /// Why the record of a number was refused, with the file's form and its cure where the file is no lines at all.
    pub fn why(&self, number: u64, rejection: &Rejection) -> String {
        match self.mistaken.iter().find(|(first, _)| *first == number) {
            Some((_, form)) => format!("{rejection}; {form}"),
            None => rejection.to_string(),
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Bytes of all files together, for a progress line; `None` if one of them is stdin or no plain file.
pub fn size(paths: &[PathBuf]) -> Option<u64> {
    let size = |path: &PathBuf| {
        let about = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        (path.as_os_str() != "-").then_some(about.len())
    };
    paths.iter().map(size).sum()
}

/// Reads all files in order.
///
/// # Errors
/// A file can't be read, is damaged, or holds what this build can't read.
pub fn read(
    paths: &[PathBuf],
    done: &Arc<AtomicU64>,
    sink: &mut dyn Sink,
) -> anyhow::Result<Places> {
    let mut places = Places::default();
    let mut next = 0;
    for (file, path) in (0..).zip(paths) {
        places.files.push((next, path.clone()));
        let attempt = || format!("read events of {}", path.display());
        let (form, mut plain) = open(path, done).with_context(attempt)?;
        if form == Form::Lines {
            let head = plain.fill_buf().with_context(attempt)?;
            places.mistaken.extend(mistaken(head).map(|form| (next, form)));
        }
        let more = read_file((form, plain), path, (file, &mut next), sink);
        if !more.with_context(attempt)? {
            break;
        }
    }
    Ok(places)
}

/// Opens a file: what it is, and its bytes, packed no more.
fn open(path: &Path, done: &Arc<AtomicU64>) -> io::Result<(Form, Unpacked)> {
    unpack(Counted(raw(path)?, Arc::clone(done)))
}

/// Reads a file; false if nobody wants more.
fn read_file(
    (form, mut plain): (Form, Unpacked),
    path: &Path,
    (file, next): (u32, &mut u64),
    sink: &mut dyn Sink,
) -> anyhow::Result<bool> {
    match form {
        Form::Lines => Ok(lines(&mut plain, next, sink)?),
        Form::Avro => datums(plain, (file, next), sink),
        Form::Parquet => rows(path, next, sink),
    }
}

fn lines(plain: &mut dyn BufRead, next: &mut u64, sink: &mut dyn Sink) -> io::Result<bool> {
    let mut more = true;
    while more {
        let mut block = sink.blank();
        more = fill(plain, &mut block, next)?;
        if !block.lines.is_empty() && !sink.take(Block::Lines(block)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn datums(
    plain: Unpacked,
    (file, next): (u32, &mut u64),
    sink: &mut dyn Sink,
) -> anyhow::Result<bool> {
    let mut container = Container::open(plain)?;
    let schema: Arc<str> = container.schema().into();
    while let Some((count, bytes)) = container.next_block()? {
        let (schema, codec) = (Arc::clone(&schema), container.codec());
        let block = Datums { file, schema, codec, numbers: (*next, count), bytes };
        *next += count;
        if !sink.take(Block::Datums(block)) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(feature = "parquet")]
fn rows(path: &Path, next: &mut u64, sink: &mut dyn Sink) -> anyhow::Result<bool> {
    let mut block = sink.blank();
    let mut rows = crate::rows::Rows::open(path)?;
    loop {
        let start = block.bytes.len();
        if !rows.line(&mut block.bytes)? {
            break;
        }
        block.end_line(start, *next);
        *next += 1;
        if block.bytes.len() >= BLOCK {
            let full = std::mem::replace(&mut block, sink.blank());
            if !sink.take(Block::Lines(full)) {
                return Ok(false);
            }
        }
    }
    Ok(block.lines.is_empty() || sink.take(Block::Lines(block)))
}

#[cfg(not(feature = "parquet"))]
fn rows(_: &Path, _: &mut u64, _: &mut dyn Sink) -> anyhow::Result<bool> {
    anyhow::bail!(
        "this is a Parquet file, and this tzeva was built without the feature `parquet`: build it with \
         `cargo build --release -p tzeva --features parquet`, or give NDJSON or an Avro container file"
    )
}

// === impl Lines ===

impl Lines {
    /// Empties it; its room stays.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
    }

    /// Notes the line that begins at `start` and ends here.
    fn end_line(&mut self, start: usize, number: u64) {
        let as_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let len = as_u32(self.bytes.len() - start);
        self.lines.push(LineAt { number, start: as_u32(start), len });
    }
}

/// Fills a block; false at the end of the file. Blank lines are counted, for places, and passed over.
fn fill(reader: &mut dyn BufRead, block: &mut Lines, next: &mut u64) -> io::Result<bool> {
    while block.bytes.len() < BLOCK {
        let start = block.bytes.len();
        if !line(reader, &mut block.bytes)? {
            return Ok(false);
        }
        let len = block.bytes[start..].trim_ascii_end().len();
        block.bytes.truncate(start + len);
        if len > 0 {
            block.end_line(start, *next);
        }
        *next += 1;
    }
    Ok(true)
}

/// Appends a line without its end; of one that is too long to be an event, the beginning. False if there is none.
fn line(reader: &mut dyn BufRead, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let start = bytes.len();
    let mut any = false;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = memchr::memchr(b'\n', buffer);
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = LINE - (bytes.len() - start).min(LINE);
        bytes.extend_from_slice(&part[..part.len().min(room)]);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Keeps lines and hands the block back.
    #[derive(Default)]
    struct Kept {
        lines: Vec<(u64, String)>,
        spent: Lines,
    }

    impl Sink for Kept {
        fn take(&mut self, block: Block) -> bool {
            let Block::Lines(mut block) = block else { panic!("{block:?}") };
            for line in &block.lines {
                let (start, len) = (line.start as usize, line.len as usize);
                let text = String::from_utf8_lossy(&block.bytes[start..start + len]).into_owned();
                self.lines.push((line.number, text));
            }
            block.clear();
            self.spent = block;
            true
        }

        fn blank(&mut self) -> Lines {
            std::mem::take(&mut self.spent)
        }
    }

    fn lines_of(bytes: &[u8]) -> Vec<(u64, String)> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let mut kept = Kept::default();
        read(&[file.path().into(), file.path().into()], &Arc::default(), &mut kept).unwrap();
        kept.lines
    }

    #[test]
    fn lines_are_numbered_through_all_files_and_blank_ones_are_passed_over() {
        let want: Vec<(u64, String)> =
            [(0, "a"), (2, "b"), (3, "a"), (5, "b")].map(|(n, text)| (n, text.into())).into();
        assert_eq!(lines_of(b"a\r\n\nb"), want);
        assert_eq!(lines_of(b"\xef\xbb\xbfa\n\nb\n"), want, "a byte order mark is no text");
    }

    #[test]
    fn a_line_too_long_for_an_event_is_cut_and_the_next_one_is_whole() {
        let mut bytes = vec![b'x'; 3 * MAX_RECORD];
        bytes.extend_from_slice(b"\nnext\n");
        let found = lines_of(&bytes);
        assert_eq!(found[0].1.len(), MAX_RECORD + 1);
        assert_eq!(found[1], (1, "next".into()));
    }

    #[test]
    fn a_number_finds_its_file_again() {
        let places = Places { files: vec![(0, "a".into()), (10, "b".into())], ..Places::default() };
        assert_eq!(places.name(9), "a:10");
        assert_eq!(places.name(10), "b:1");
    }
}
