//! The search: everything that can happen, each state once. States are known by 128 bits of hash: among ten million the
//! odds of taking two for one are below 10^-24.

use super::Protocol;
use super::rules::broken;
use super::state::State;
use super::steps::{Act, Steps};
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// What a search found.
pub(crate) enum Found {
    /// Every state was seen, and nothing is broken.
    Holds(usize),
    /// So many states were seen, and nothing is broken in them.
    Bounded(usize),
    /// Broken, after so many states; how it got there.
    Broken(usize, Vec<String>),
}

/// Two multiply-and-fold hashes side by side, over words of eight bytes.
#[derive(Clone, Copy, Default)]
struct Print {
    hashes: [u64; 2],
    word: u64,
    bits: u32,
}

/// Takes a hash for itself.
#[derive(Clone, Copy, Default)]
struct Same(u64);

type Seen = HashSet<u128, BuildHasherDefault<Same>>;

/// Looks at states depth first, which needs little memory, up to `bound` of them.
pub(crate) fn exhaust(protocol: &Protocol, bound: usize, look: &mut dyn FnMut(&State)) -> Found {
    let first = protocol.first();
    let mut seen = Seen::default();
    seen.insert(print(&first));
    let mut stack = vec![first];
    while let Some(state) = stack.pop() {
        look(&state);
        for (_, next, broke) in Steps::of(protocol, state) {
            let next = next.canonical();
            if broke.is_some() || broken(&next, protocol).is_some() {
                return shortest(protocol, usize::MAX);
            }
            if seen.insert(print(&next)) {
                stack.push(next);
            }
        }
        if seen.len() >= bound {
            return Found::Bounded(seen.len());
        }
    }
    Found::Holds(seen.len())
}

/// Looks for the shortest way to something broken.
pub(crate) fn shortest(protocol: &Protocol, bound: usize) -> Found {
    let first = protocol.first();
    let mut seen: HashMap<u128, (u128, Option<Act>), BuildHasherDefault<Same>> = HashMap::default();
    seen.insert(print(&first), (0, None));
    let mut queue = VecDeque::from([first]);
    while let Some(state) = queue.pop_front() {
        let from = print(&state);
        for (act, next, broke) in Steps::of(protocol, state) {
            let to = print(&next);
            if let Some(what) = broke.or_else(|| broken(&next, protocol)) {
                let mut trace = vec![format!("{act} — {what}")];
                let mut at = from;
                while let Some((before, Some(act))) = seen.get(&at) {
                    trace.push(act.to_string());
                    at = *before;
                }
                trace.reverse();
                return Found::Broken(seen.len(), trace);
            }
            seen.entry(to).or_insert_with(|| {
                queue.push_back(next);
                (from, Some(act))
            });
        }
        if seen.len() >= bound {
            return Found::Bounded(seen.len());
        }
    }
    Found::Holds(seen.len())
}

fn print(state: &State) -> u128 {
    let mut print =
        Print { hashes: [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344], ..Print::default() };
    state.hash(&mut print);
    print.mix();
    u128::from(print.hashes[0]) << 64 | u128::from(print.hashes[1])
}

#[expect(clippy::cast_possible_truncation, reason = "both halves of the product are used")]
fn mixed(state: u64, word: u64, by: u64) -> u64 {
    let product = u128::from(state ^ word) * u128::from(by);
    (product as u64) ^ ((product >> 64) as u64)
}

// === impl Print ===

impl Print {
    fn mix(&mut self) {
        self.hashes[0] = mixed(self.hashes[0], self.word, 0x9e37_79b9_7f4a_7c15);
        self.hashes[1] = mixed(self.hashes[1], self.word, 0xd6e8_feb8_6659_fd93).rotate_left(23);
        (self.word, self.bits) = (0, 0);
    }

    fn put(&mut self, value: u64, bits: u32) {
        if self.bits + bits > 64 {
            self.mix();
        }
        self.word |= value << self.bits;
        self.bits += bits;
    }
}

impl Hasher for Print {
    fn finish(&self) -> u64 {
        self.hashes[0]
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.put(u64::from(*byte), 8));
    }

    fn write_u8(&mut self, byte: u8) {
        self.put(byte.into(), 8);
    }

    fn write_u16(&mut self, word: u16) {
        self.put(word.into(), 16);
    }

    fn write_u32(&mut self, word: u32) {
        self.put(word.into(), 32);
    }

    // Lengths of arrays and names of variants: both small, and the former always the same.
    fn write_usize(&mut self, small: usize) {
        self.put(small as u64 & 0xff, 8);
    }

    fn write_isize(&mut self, small: isize) {
        self.write_usize(small.cast_unsigned());
    }
}

// === impl Same ===

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u128(&mut self, print: u128) {
        self.0 = u64::from_le_bytes(print.to_le_bytes()[..8].try_into().unwrap_or_default());
    }
}

// === impl Act ===

impl std::fmt::Display for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(who, what, [a, b, c]) = self;
        match who {
            9 => write!(f, "{what} ({a} {b} {c})"),
            _ => write!(f, "owner {who} {what} ({a} {b} {c})"),
        }
    }
}
