//! Verdicts: is a condition true, and until when at least.
//!
//! `next` is a bound: without an event the truth stays what it is at every instant before it. It may be early, never
//! late. That is what lets one deadline stand for a whole profile: a conjunction that is false because of two leaves
//! can't become true before the later of the two flips, so leaves that flip in vain wake nobody.

use tzeva_audience::{Compare, CountTest};
use tzeva_model::UnixMillis;

/// The instant that never comes.
pub const NEVER: UnixMillis = UnixMillis::MAX;

/// A truth and how long it holds without an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The truth.
    pub holds: bool,
    /// It does not flip before this.
    pub next: UnixMillis,
}

// === impl Verdict ===

impl Verdict {
    /// Always this.
    #[inline]
    pub const fn settled(holds: bool) -> Self {
        Self { holds, next: NEVER }
    }

    /// The opposite, for as long.
    #[inline]
    pub const fn negated(self) -> Self {
        Self { holds: !self.holds, next: self.next }
    }

    /// All of `parts`: when true, the first flip ends it; when false, every false part must flip.
    pub fn all(parts: impl Iterator<Item = Self>) -> Self {
        let (mut first, mut last_false, mut holds) = (NEVER, UnixMillis::MIN, true);
        for part in parts {
            if part.holds {
                first = first.min(part.next);
            } else {
                holds = false;
                last_false = last_false.max(part.next);
                if last_false == NEVER {
                    break;
                }
            }
        }
        Self { holds, next: if holds { first } else { last_false } }
    }

    /// At least one of `parts`.
    pub fn any(parts: impl Iterator<Item = Self>) -> Self {
        Self::all(parts.map(Self::negated)).negated()
    }
}

/// The largest count below `count` that compares otherwise than `count` does; as time passes counts only fall, so the
/// truth stays until the count is that low.
#[inline]
pub fn flips_below(test: CountTest, count: u32) -> Option<u32> {
    let at_least = |k: u32| if count >= k { k.checked_sub(1) } else { None };
    let at_most = |k: u32| (count > k).then_some(k);
    match test {
        CountTest::Is(Compare::AtLeast, k) | CountTest::Is(Compare::LessThan, k) => at_least(k),
        CountTest::Is(Compare::MoreThan, k) | CountTest::Is(Compare::AtMost, k) => at_most(k),
        CountTest::Is(Compare::Equal, k) => at_most(k).or_else(|| at_least(k)),
        CountTest::Between(low, high) => at_most(high).or_else(|| at_least(low)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_flips_at_the_largest_smaller_count_that_compares_otherwise() {
        let compares = [
            Compare::AtLeast,
            Compare::MoreThan,
            Compare::AtMost,
            Compare::LessThan,
            Compare::Equal,
        ];
        let tests = (0..6).flat_map(|k| {
            compares
                .into_iter()
                .map(move |c| CountTest::Is(c, k))
                .chain((k..6).map(move |high| CountTest::Between(k, high)))
        });
        for test in tests {
            for count in 0..9 {
                let want = (0..count).rev().find(|&n| test.holds(n) != test.holds(count));
                assert_eq!(flips_below(test, count), want, "{test:?} {count}");
            }
        }
    }

    #[test]
    fn a_false_conjunction_waits_for_its_last_false_part() {
        let at = |ms| UnixMillis::new(ms);
        let parts =
            [(true, 5), (false, 9), (false, 7)].map(|(holds, ms)| Verdict { holds, next: at(ms) });
        assert_eq!(Verdict::all(parts.into_iter()), Verdict { holds: false, next: at(9) });
        assert_eq!(Verdict::any(parts.into_iter()), Verdict { holds: true, next: at(5) });
    }
}
