//! Event files as blocks of lines.

use crate::unpack::{Form, Unpacked, raw, unpack};
use anyhow::{Context, bail};
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tzeva_decode::MAX_RECORD;

/// Some lines one after the other. Lines are numbered through all files, so that the number alone is the order of
/// arrival.
#[derive(Debug, Default)]
pub struct Block {
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

/// What was read: from which line number on which file speaks.
#[derive(Debug, Default)]
pub struct Places {
    files: Vec<(u64, PathBuf)>,
}

/// Counts what was read of the files as they lie on the disk.
struct Counted<R>(R, Arc<AtomicU64>);

/// A block is handed on when it holds this much.
const BLOCK: usize = 1 << 20;
/// A line is kept up to here: enough to be refused as too large.
const LINE: usize = MAX_RECORD + 1;

// === impl Places ===

impl Places {
    /// `file:line` of a line number.
    pub fn name(&self, number: u64) -> String {
        let place = self.files.partition_point(|(first, _)| *first <= number);
        match place.checked_sub(1).and_then(|place| self.files.get(place)) {
            Some((first, path)) => format!("{}:{}", path.display(), number - first + 1),
            None => format!("line {number}"),
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

/// Bytes of all files together, for a progress line; stdin counts for nothing.
pub fn size(paths: &[PathBuf]) -> u64 {
    paths.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|file| file.len()).sum()
}

/// Reads all files in order; `take` gets the blocks and says whether to go on.
pub fn read(
    paths: &[PathBuf],
    done: &Arc<AtomicU64>,
    take: &mut dyn FnMut(Block) -> bool,
) -> anyhow::Result<Places> {
    let mut places = Places::default();
    let mut next = 0;
    for path in paths {
        places.files.push((next, path.clone()));
        let attempt = || format!("read events of {}", path.display());
        let mut reader = open(path, done).with_context(attempt)?;
        let mut more = true;
        while more {
            let mut block = Block::default();
            more = fill(&mut reader, &mut block, &mut next).with_context(attempt)?;
            if block.bytes.len() < BLOCK / 2 {
                block.bytes.shrink_to_fit();
            }
            if !block.lines.is_empty() && !take(block) {
                return Ok(places);
            }
        }
    }
    Ok(places)
}

fn open(path: &Path, done: &Arc<AtomicU64>) -> anyhow::Result<Unpacked> {
    let (form, plain) = unpack(Counted(raw(path)?, Arc::clone(done)))?;
    match form {
        Form::Lines => Ok(plain),
        Form::Avro => bail!("Avro container files can't be read yet: give NDJSON"),
        Form::Parquet => bail!("Parquet files can't be read yet: give NDJSON"),
    }
}

/// Fills a block; false at the end of the file. Blank lines are counted, for places, and passed over.
fn fill(reader: &mut dyn BufRead, block: &mut Block, next: &mut u64) -> io::Result<bool> {
    block.bytes.reserve(BLOCK + (BLOCK >> 4));
    while block.bytes.len() < BLOCK {
        let start = block.bytes.len();
        if !line(reader, &mut block.bytes)? {
            return Ok(false);
        }
        let len = block.bytes[start..].trim_ascii_end().len();
        block.bytes.truncate(start + len);
        if len > 0 {
            let as_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            block.lines.push(LineAt { number: *next, start: as_u32(start), len: as_u32(len) });
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
        let end = buffer.iter().position(|byte| *byte == b'\n');
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

    fn lines_of(bytes: &[u8]) -> Vec<(u64, String)> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let mut found = Vec::new();
        let done = Arc::default();
        let mut take = |block: Block| {
            for line in &block.lines {
                let (start, len) = (line.start as usize, line.len as usize);
                let text = String::from_utf8_lossy(&block.bytes[start..start + len]).into_owned();
                found.push((line.number, text));
            }
            true
        };
        read(&[file.path().into(), file.path().into()], &done, &mut take).unwrap();
        found
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
    fn a_line_number_finds_its_file_again() {
        let places = Places { files: vec![(0, "a".into()), (10, "b".into())] };
        assert_eq!(places.name(9), "a:10");
        assert_eq!(places.name(10), "b:1");
    }
}
