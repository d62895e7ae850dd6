//! The records of one group, out of all runs, in order.

use super::HEAD;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Gives records one by one.
pub struct Merge<'a> {
    stretches: Vec<Stretch<'a>>,
    /// A heap of places in `stretches`, the least record on top.
    heap: Vec<u32>,
    /// The top was given out and is passed over at the next call.
    given: bool,
}

/// A record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'m> {
    pub part: u32,
    /// Milliseconds since the Unix epoch.
    pub at: i64,
    pub tie: u64,
    pub bytes: &'m [u8],
}

/// What one run has of a group.
pub(super) struct Stretch<'a> {
    source: Source<'a>,
    /// Part, instant and tie of the record at hand.
    key: (u32, i64, u64),
    /// Where the bytes of the record at hand are.
    start: usize,
    len: usize,
}

enum Source<'a> {
    Held(&'a [u8]),
    Stored { file: &'a File, next: u64, end: u64, buffer: Vec<u8> },
}

/// How much of a stored stretch is read at once.
const BUFFER: usize = 64 * 1024;

// === impl Stretch ===

impl<'a> Stretch<'a> {
    pub(super) const fn held(bytes: &'a [u8]) -> Self {
        Self { source: Source::Held(bytes), key: (0, 0, 0), start: 0, len: 0 }
    }

    pub(super) const fn stored(file: &'a File, next: u64, end: u64) -> Self {
        let source = Source::Stored { file, next, end, buffer: Vec::new() };
        Self { source, key: (0, 0, 0), start: 0, len: 0 }
    }

    fn bytes(&self) -> &[u8] {
        &self.source.bytes()[self.start..self.start + self.len]
    }

    /// Goes to the next record; false at the end.
    fn step(&mut self) -> io::Result<bool> {
        let head = self.start + self.len;
        let head = self.source.reach(head, HEAD)?;
        let Some((part, rest)) = self.source.bytes()[head..].split_first_chunk() else {
            return Ok(false);
        };
        let Some((at, rest)) = rest.split_first_chunk() else { return Err(damaged()) };
        let Some((tie, rest)) = rest.split_first_chunk() else { return Err(damaged()) };
        let Some((len, _)) = rest.split_first_chunk() else { return Err(damaged()) };
        let (at, tie) = (i64::from_le_bytes(*at), u64::from_le_bytes(*tie));
        let key = (u32::from_le_bytes(*part), at, tie);
        let len = u32::from_le_bytes(*len) as usize;
        let head = self.source.reach(head, HEAD + len)?;
        if self.source.bytes().len() < head + HEAD + len {
            return Err(damaged());
        }
        (self.key, self.start, self.len) = (key, head + HEAD, len);
        Ok(true)
    }

    fn is_before(&self, other: &Self) -> bool {
        self.key.cmp(&other.key).then_with(|| self.bytes().cmp(other.bytes())).is_lt()
    }
}

// === impl Source ===

impl Source<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Held(bytes) => bytes,
            Self::Stored { buffer, .. } => buffer,
        }
    }

    /// Makes `wanted` bytes from `from` on be there, if there are as many; answers where `from` is now.
    fn reach(&mut self, from: usize, wanted: usize) -> io::Result<usize> {
        let Self::Stored { file, next, end, buffer } = self else { return Ok(from) };
        let left = usize::try_from(*end - *next).unwrap_or(usize::MAX);
        if buffer.len() >= from + wanted || left == 0 {
            return Ok(from);
        }
        buffer.drain(..from);
        let kept = buffer.len();
        buffer.resize(kept + left.min(BUFFER.max(wanted)), 0);
        file.read_exact_at(&mut buffer[kept..], *next)?;
        *next += (buffer.len() - kept) as u64;
        Ok(0)
    }
}

// === impl Merge ===

impl<'a> Merge<'a> {
    pub(super) fn new(mut stretches: Vec<Stretch<'a>>) -> io::Result<Self> {
        let mut heap = Vec::with_capacity(stretches.len());
        for (place, stretch) in (0..).zip(&mut stretches) {
            if stretch.step()? {
                heap.push(place);
            }
        }
        let mut merge = Self { stretches, heap, given: false };
        (0..merge.heap.len() / 2).rev().for_each(|place| merge.sink(place));
        Ok(merge)
    }

    /// The next record.
    ///
    /// # Errors
    /// The disk failed.
    #[expect(clippy::should_implement_trait, reason = "a record is lent, which no iterator can")]
    pub fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        if std::mem::replace(&mut self.given, true) && !self.heap.is_empty() {
            let top = self.heap[0] as usize;
            if !self.stretches[top].step()? {
                self.heap.swap_remove(0);
            }
            self.sink(0);
        }
        let Some(&top) = self.heap.first() else { return Ok(None) };
        let top = &self.stretches[top as usize];
        let (part, at, tie) = top.key;
        Ok(Some(Record { part, at, tie, bytes: top.bytes() }))
    }

    fn sink(&mut self, mut place: usize) {
        let is_before = |a: u32, b: u32| {
            let (one, other) = (&self.stretches[a as usize], &self.stretches[b as usize]);
            // Of equal records the one of the earlier run comes first.
            one.is_before(other) || (a < b && !other.is_before(one))
        };
        loop {
            let mut least = 2 * place + 1;
            if least >= self.heap.len() {
                return;
            }
            if least + 1 < self.heap.len() && is_before(self.heap[least + 1], self.heap[least]) {
                least += 1;
            }
            if !is_before(self.heap[least], self.heap[place]) {
                return;
            }
            self.heap.swap(place, least);
            place = least;
        }
    }
}

#[cold]
fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary file is damaged")
}
