//! Sorts records in bounded memory: within a group by (part, instant, tie, bytes), groups one by one.
//!
//! Whoever makes records gathers a [`Pile`] of them; a full one is sorted and becomes a run. Runs stay in memory up to the
//! limit; what comes then goes to one temporary file that has no name, so that nothing is left behind however the process
//! ends. A group is read by merging its stretch of every run, the longest of which are read a buffer at a time: how much
//! is held does not depend on how much there is.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

mod merge;

pub use merge::{Merge, Record};

/// By what a record is sorted, before its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub group: u16,
    /// What is to stand together within a group.
    pub part: u32,
    /// Milliseconds since the Unix epoch.
    pub at: i64,
    pub tie: u64,
}

/// Records that are not sorted yet.
#[derive(Default)]
pub struct Pile {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Room for a run, of one that went to the disk.
    spare: Vec<u8>,
}

/// A key, and where the record's bytes are.
type Entry = (Key, u32, u32);

/// Sorted records.
pub struct Runs {
    /// Bytes that runs may hold in memory.
    limit: usize,
    held: usize,
    file: Option<File>,
    /// The file's length.
    end: u64,
    runs: Vec<Run>,
    spilled: u64,
}

/// One sorted run.
struct Run {
    /// Its records; `None`: they are in the file.
    bytes: Option<Vec<u8>>,
    /// Where each group that it has begins, ascending; the last entry is its end and no group's.
    groups: Vec<(u16, u64)>,
}

/// Bytes of a record before its own: part, instant, tie, length.
const HEAD: usize = 24;

// === impl Pile ===

impl Pile {
    /// An empty one with room for so many bytes, which is not used before it is needed.
    pub fn with_room(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// Takes a record in; `write` appends its bytes.
    pub fn push(&mut self, key: Key, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        let as_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.entries.push((key, as_u32(start), as_u32(self.bytes.len() - start)));
    }

    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }

    /// Empties it into a sorted run.
    fn sort(&mut self) -> Run {
        let bytes = &self.bytes;
        let own = |start: u32, len: u32| &bytes[start as usize..start as usize + len as usize];
        let order = |(a, start, len): &Entry, (b, other, length): &Entry| {
            a.cmp(b).then_with(|| own(*start, *len).cmp(own(*other, *length)))
        };
        // By one number, stably; what is alike in it has mostly come in order already.
        let place = |(key, ..): &Entry| u64::from(key.group) << 32 | u64::from(key.part);
        self.entries.sort_by_key(place);
        for alike in self.entries.chunk_by_mut(|a, b| place(a) == place(b)) {
            if !alike.is_sorted_by(|a, b| order(a, b).is_le()) {
                alike.sort_by(order);
            }
        }
        let mut sorted = std::mem::take(&mut self.spare);
        sorted.reserve_exact(bytes.len() + HEAD * self.entries.len());
        let mut groups: Vec<(u16, u64)> = Vec::new();
        for (key, start, len) in &self.entries {
            if groups.last().is_none_or(|(group, _)| *group != key.group) {
                groups.push((key.group, sorted.len() as u64));
            }
            sorted.extend_from_slice(&key.part.to_le_bytes());
            sorted.extend_from_slice(&key.at.to_le_bytes());
            sorted.extend_from_slice(&key.tie.to_le_bytes());
            sorted.extend_from_slice(&len.to_le_bytes());
            sorted.extend_from_slice(own(*start, *len));
        }
        groups.push((u16::MAX, sorted.len() as u64));
        self.bytes.clear();
        self.entries.clear();
        Run { bytes: Some(sorted), groups }
    }
}

// === impl Runs ===

impl Runs {
    /// Nothing yet; runs will hold about `limit` bytes of memory.
    pub const fn new(limit: usize) -> Self {
        Self { limit, held: 0, file: None, end: 0, runs: Vec::new(), spilled: 0 }
    }

    /// How many bytes went to the disk.
    pub const fn spilled(&self) -> u64 {
        self.spilled
    }

    /// The records of a group in order.
    ///
    /// # Errors
    /// The disk failed.
    pub fn group(&self, group: u16) -> io::Result<Merge<'_>> {
        let stretches = self.runs.iter().filter_map(|run| {
            let place = run.groups[..run.groups.len() - 1]
                .binary_search_by_key(&group, |(group, _)| *group)
                .ok()?;
            let (start, end) = (run.groups[place].1, run.groups[place + 1].1);
            Some(match (&run.bytes, &self.file) {
                (Some(bytes), _) => {
                    let [start, end] = [start, end].map(|n| usize::try_from(n).unwrap_or(0));
                    merge::Stretch::held(&bytes[start..end])
                }
                (None, Some(file)) => merge::Stretch::stored(file, start, end),
                (None, None) => merge::Stretch::held(&[]),
            })
        });
        Merge::new(stretches.collect())
    }

    /// Answers the room that is free again if the run went to the disk.
    fn add(&mut self, mut run: Run) -> io::Result<Vec<u8>> {
        let mut spare = Vec::new();
        let size =
            run.bytes.as_ref().map_or(0, Vec::len) + run.groups.len() * size_of::<(u16, u64)>();
        if self.held + size <= self.limit {
            self.held += size;
        } else if let Some(bytes) = run.bytes.take() {
            let file = match &self.file {
                Some(file) => file,
                None => self.file.insert(tempfile::tempfile()?),
            };
            file.write_all_at(&bytes, self.end)?;
            run.groups.iter_mut().for_each(|(_, start)| *start += self.end);
            self.end += bytes.len() as u64;
            self.spilled += bytes.len() as u64;
            spare = bytes;
            spare.clear();
        }
        self.runs.push(run);
        Ok(spare)
    }
}

/// The context of an error of the temporary file: whoever is told can mend it.
#[derive(Debug)]
pub struct Sorting;

impl std::fmt::Display for Sorting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let folder = tempfile::env::temp_dir();
        let folder = folder.display();
        write!(
            f,
            "sort in a temporary file in {folder}: name a folder with more room in TMPDIR, or raise --memory"
        )
    }
}

/// Sorts what is in `pile`, and adds it to `runs`; runs are not locked while it is sorted.
///
/// # Errors
/// The temporary file can't be made or written: the disk is full, or `TMPDIR` is no folder.
pub fn settle(pile: &mut Pile, runs: &std::sync::Mutex<Runs>) -> io::Result<()> {
    if pile.entries.is_empty() {
        return Ok(());
    }
    let run = pile.sort();
    pile.spare = runs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(run)?;
    Ok(())
}

#[cfg(test)]
mod tests;
