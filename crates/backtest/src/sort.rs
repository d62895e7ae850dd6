//! Sorts lines by (instant, order of arrival) in bounded memory: what doesn't fit is sorted and written to a temporary
//! file that has no name, so that nothing is left behind however the process ends; then all are merged.

use crate::input::Block;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

/// A line with the instant it is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: i64,
    pub number: u64,
    pub bytes: Vec<u8>,
}

/// Takes lines, gives them sorted.
pub struct Sorter {
    /// Bytes that may be held.
    limit: usize,
    held: usize,
    blocks: Vec<Vec<u8>>,
    entries: Vec<Entry>,
    runs: Vec<File>,
    spilled: u64,
}

/// Where a held line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: i64,
    number: u64,
    block: u32,
    start: u32,
    len: u32,
}

/// Sorted lines.
type Run = Box<dyn Iterator<Item = io::Result<Line>> + Send>;

/// The next line of a run: instant, number, which run, bytes.
type Head = (i64, u64, usize, Vec<u8>);

/// The lines of all runs in order.
pub struct Merged {
    runs: Vec<Run>,
    /// The next line of each run that has one.
    heads: BinaryHeap<Reverse<Head>>,
}

/// A sorted run in a file.
struct FileRun(BufReader<File>);

/// Runs that are merged at once; more are merged into one first.
const FAN_IN: usize = 64;
/// A run's buffer, when it is read again.
const BUFFER: usize = 256 * 1024;

// === impl Sorter ===

impl Sorter {
    /// A sorter that holds about `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, held: 0, blocks: vec![], entries: vec![], runs: vec![], spilled: 0 }
    }

    /// Takes the lines of a block that have an instant, one for one.
    pub fn push(&mut self, block: Block, instants: &[Option<i64>]) -> io::Result<()> {
        let place = u32::try_from(self.blocks.len()).map_err(io::Error::other)?;
        let lines = block.lines.iter().zip(instants);
        self.entries.extend(lines.filter_map(|(line, at)| {
            let (number, start, len) = (line.number, line.start, line.len);
            at.map(|at| Entry { at, number, block: place, start, len })
        }));
        self.held += block.bytes.capacity();
        self.blocks.push(block.bytes);
        let index = self.entries.capacity() * size_of::<Entry>();
        if self.held + index > self.limit { self.spill() } else { Ok(()) }
    }

    /// How many runs were written to the disk.
    pub const fn spilled(&self) -> u64 {
        self.spilled
    }

    /// All lines in order.
    pub fn sorted(mut self) -> io::Result<Merged> {
        let mut runs: Vec<Run> = Vec::new();
        for file in std::mem::take(&mut self.runs) {
            runs.push(Box::new(FileRun::new(file)?));
        }
        let (blocks, mut entries) = (self.blocks, self.entries);
        entries.sort_unstable();
        runs.push(Box::new(entries.into_iter().map(move |entry| Ok(entry.line(&blocks)))));
        Merged::new(runs)
    }

    fn spill(&mut self) -> io::Result<()> {
        self.entries.sort_unstable();
        let mut out = BufWriter::with_capacity(BUFFER, tempfile::tempfile()?);
        for entry in &self.entries {
            write_line(&mut out, entry.at, entry.number, entry.bytes(&self.blocks))?;
        }
        self.runs.push(out.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.spilled += 1;
        (self.blocks, self.entries, self.held) = (vec![], vec![], 0);
        if self.runs.len() == FAN_IN { self.combine() } else { Ok(()) }
    }

    /// Merges all runs into one.
    fn combine(&mut self) -> io::Result<()> {
        let files = std::mem::take(&mut self.runs);
        let runs = files.into_iter().map(|file| Ok(Box::new(FileRun::new(file)?) as Run));
        let merged = Merged::new(runs.collect::<io::Result<_>>()?)?;
        let mut out = BufWriter::with_capacity(BUFFER, tempfile::tempfile()?);
        for line in merged {
            let line = line?;
            write_line(&mut out, line.at, line.number, &line.bytes)?;
        }
        self.runs.push(out.into_inner().map_err(io::IntoInnerError::into_error)?);
        Ok(())
    }
}

// === impl Entry ===

impl Entry {
    fn bytes<'a>(&self, blocks: &'a [Vec<u8>]) -> &'a [u8] {
        let start = self.start as usize;
        &blocks[self.block as usize][start..start + self.len as usize]
    }

    fn line(&self, blocks: &[Vec<u8>]) -> Line {
        Line { at: self.at, number: self.number, bytes: self.bytes(blocks).to_vec() }
    }
}

// === impl Merged ===

impl Merged {
    fn new(mut runs: Vec<Run>) -> io::Result<Self> {
        let mut heads = BinaryHeap::new();
        for (place, run) in runs.iter_mut().enumerate() {
            if let Some(line) = run.next() {
                let line = line?;
                heads.push(Reverse((line.at, line.number, place, line.bytes)));
            }
        }
        Ok(Self { runs, heads })
    }
}

impl Iterator for Merged {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        let mut head = self.heads.peek_mut()?;
        let Reverse((at, number, place, _)) = *head;
        let bytes = match self.runs[place].next() {
            Some(Err(error)) => return Some(Err(error)),
            Some(Ok(next)) => {
                let next = Reverse((next.at, next.number, place, next.bytes));
                let Reverse((.., bytes)) = std::mem::replace(&mut *head, next);
                bytes
            }
            None => {
                let Reverse((.., bytes)) = std::collections::binary_heap::PeekMut::pop(head);
                bytes
            }
        };
        Some(Ok(Line { at, number, bytes }))
    }
}

// === impl FileRun ===

impl FileRun {
    fn new(mut file: File) -> io::Result<Self> {
        file.rewind()?;
        Ok(Self(BufReader::with_capacity(BUFFER, file)))
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let (mut at, mut number, mut len) = ([0; 8], [0; 8], [0; 4]);
        match self.0.read_exact(&mut at) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        self.0.read_exact(&mut number)?;
        self.0.read_exact(&mut len)?;
        let mut bytes = vec![0; u32::from_le_bytes(len) as usize];
        self.0.read_exact(&mut bytes)?;
        let (at, number) = (i64::from_le_bytes(at), u64::from_le_bytes(number));
        Ok(Some(Line { at, number, bytes }))
    }
}

impl Iterator for FileRun {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        self.read().transpose()
    }
}

fn write_line(out: &mut impl Write, at: i64, number: u64, bytes: &[u8]) -> io::Result<()> {
    let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    out.write_all(&at.to_le_bytes())?;
    out.write_all(&number.to_le_bytes())?;
    out.write_all(&len.to_le_bytes())?;
    out.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::LineAt;

    /// Blocks of three lines whose instants jump about; every seventh line is none.
    fn sorted(limit: usize, blocks: u64) -> (Vec<(i64, u64)>, u64) {
        let mut sorter = Sorter::new(limit);
        for block in 0..blocks {
            let numbers = [3 * block, 3 * block + 1, 3 * block + 2];
            let mut made = Block::default();
            for number in numbers {
                let start = u32::try_from(made.bytes.len()).unwrap();
                let text = number.to_string();
                made.bytes.extend_from_slice(text.as_bytes());
                let len = u32::try_from(text.len()).unwrap();
                made.lines.push(LineAt { number, start, len });
            }
            let at = |number: u64| (number % 7 != 6).then_some((number * 37 % 11).cast_signed());
            sorter.push(made, &numbers.map(at)).unwrap();
        }
        let spilled = sorter.spilled();
        let lines = sorter.sorted().unwrap().map(|line| {
            let line = line.unwrap();
            assert_eq!(line.bytes, line.number.to_string().into_bytes());
            (line.at, line.number)
        });
        (lines.collect(), spilled)
    }

    #[test]
    fn memory_changes_nothing_about_the_order() {
        let (want, spilled) = sorted(usize::MAX, 400);
        assert_eq!(spilled, 0);
        assert!(want.is_sorted());
        assert_eq!(want.len(), (0..1_200).filter(|number| number % 7 != 6).count());
        for limit in [0, 1_000, 20_000] {
            let (found, spilled) = sorted(limit, 400);
            assert!(spilled > 1, "{limit} bytes hold all of it");
            assert_eq!(found, want, "with {limit} bytes");
        }
    }
}
