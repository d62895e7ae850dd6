//! `exp2` and `log2` against the platform's own and against golden vectors; crossings against their definition.

mod golden;

use super::*;
use tzeva_model::{Level, NameId, TagKey};

/// A small generator of our own: a million draws cost nothing and are the same everywhere.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
}

/// How many f64 lie between two of one sign.
fn ulps(a: f64, b: f64) -> u64 {
    let order = |x: f64| {
        let bits = x.to_bits().cast_signed();
        if bits < 0 { i64::MIN - bits } else { bits }
    };
    order(a).abs_diff(order(b))
}

#[test]
fn exp2_is_within_one_ulp() {
    let mut draws = Draws(1);
    for _ in 0..400_000 {
        for x in [draws.between(-1.0, 1.0), draws.between(-60.0, 60.0), draws.between(-1e3, 1e3)] {
            let (ours, theirs) = (exp2(x), x.exp2());
            assert!(ulps(ours, theirs) <= 1, "{x:e}: {ours:e} {theirs:e}");
        }
    }
}

#[test]
fn log2_is_within_one_ulp() {
    let mut draws = Draws(2);
    for _ in 0..400_000 {
        let any = f64::from_bits(draws.next() & 0x7fef_ffff_ffff_ffff);
        let near = 1.0 + draws.between(-1e-3, 1e-3);
        for x in [draws.between(0.25, 4.0), draws.between(1e-9, 1e9), near, any] {
            let (ours, theirs) = (log2(x), x.log2());
            assert!(ulps(ours, theirs) <= 1, "{x:e}: {ours:e} {theirs:e}");
        }
    }
}

#[test]
fn both_are_exact_at_whole_numbers_and_sane_at_the_ends() {
    for power in -1_074..=1_023 {
        let x = f64::from(power);
        let value = exp2(x);
        assert_eq!(value.to_bits(), x.exp2().to_bits(), "{power}");
        assert_eq!(log2(value).to_bits(), x.to_bits(), "{power}");
    }
    assert_eq!(exp2(1_024.0), f64::INFINITY);
    assert_eq!(exp2(-1_080.0), 0.0);
    assert_eq!((exp2(f64::NEG_INFINITY), exp2(f64::INFINITY)), (0.0, f64::INFINITY));
    assert_eq!((log2(0.0), log2(f64::INFINITY)), (f64::NEG_INFINITY, f64::INFINITY));
    assert!(exp2(f64::NAN).is_nan() && log2(f64::NAN).is_nan() && log2(-1.0).is_nan());
}

/// Where ours is furthest from the truth it is less than one unit in the last place away.
#[test]
fn the_hardest_arguments_are_within_one_ulp() {
    let lines = include_str!("tests/hardest.txt").lines().filter(|line| !line.starts_with('#'));
    let mut asked = 0;
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let bits = |word: &str| f64::from_bits(u64::from_str_radix(word, 16).unwrap());
        let (x, want) = (bits(words[1]), bits(words[2]));
        let ours = if words[0] == "exp2" { exp2(x) } else { log2(x) };
        assert!(ulps(ours, want) <= 1, "{line}: {:x}", ours.to_bits());
        asked += 1;
    }
    assert_eq!(asked, 800);
}

/// The true values, and a checksum over many of ours: debug, release and every machine give the same bits.
#[test]
fn golden_vectors_hold_on_every_machine() {
    for (x, want) in golden::EXP2 {
        let ours = exp2(f64::from_bits(x));
        assert!(ulps(ours, f64::from_bits(want)) <= 1, "exp2 {x:#x}: {:#x}", ours.to_bits());
    }
    for (x, want) in golden::LOG2 {
        let ours = log2(f64::from_bits(x));
        assert!(ulps(ours, f64::from_bits(want)) <= 1, "log2 {x:#x}: {:#x}", ours.to_bits());
    }
    let mut draws = Draws(3);
    let mut sum = 0_u64;
    for _ in 0..100_000 {
        let (x, y) = (draws.between(-70.0, 1.0), draws.between(1e-3, 1e3));
        for bits in [exp2(x).to_bits(), log2(y).to_bits()] {
            sum = digest(sum, bits);
        }
    }
    assert_eq!(sum, CHECKSUM, "{sum:#x}");
}

const CHECKSUM: u64 = 0x771d_b876_529f_7e00;

fn tag(score: f32, at: i64) -> Tag {
    let key = TagKey { level: Level::Brand, id: NameId::new(1) };
    Tag { key, score, at: UnixMillis::new(at) }
}

/// A million random (S, h, θ, t): each instant is the first at which the statement is false, and all of them together are
/// the same wherever this runs, whatever the compiler made of it.
#[test]
fn a_crossing_is_the_first_millisecond_below() {
    let mut draws = Draws(4);
    let (mut sum, mut at_once) = (0_u64, 0);
    for _ in 0..1_000_000 {
        #[expect(clippy::cast_possible_truncation, reason = "a score is an f32")]
        let score = exp2(draws.between(-3.0, 7.0)) as f32;
        #[expect(clippy::cast_possible_truncation, reason = "a span of ms")]
        let half_life = Millis::new(exp2(draws.between(0.0, 36.0)) as i64);
        let threshold = draws.between(0.01, 4.0);
        let tag = tag(score, 1_700_000_000_000 + i64::try_from(draws.next() % 1_000_000).unwrap());
        let crossing = fades_below(&tag, half_life, threshold);
        let below = |at| faded(score, tag.at, half_life, at) < threshold;
        assert!(below(crossing), "{tag:?} {half_life} {threshold}");
        if crossing > tag.at {
            assert!(!below(crossing - Millis::new(1)), "{tag:?} {half_life} {threshold}");
        } else {
            at_once += 1;
        }
        sum = digest(sum, crossing.get().cast_unsigned());
    }
    assert_eq!(sum, CROSSINGS, "{sum:#x}");
    assert!((10_000..500_000).contains(&at_once), "{at_once} were below from the beginning");
}

/// Of the million instants, computed with optimisation levels 0, 1 and 3.
const CROSSINGS: u64 = 0xe91f_019c_546e_277d;

fn digest(sum: u64, bits: u64) -> u64 {
    (sum ^ bits).wrapping_mul(0x0100_0000_01b3).rotate_left(7)
}

#[test]
fn a_score_of_four_with_a_threshold_of_one_lasts_two_half_lives() {
    // At exactly two half-lives it is 1, which is not below 1: the first instant below is a millisecond later.
    let crossing = fades_below(&tag(4.0, 1_000), Millis::HOUR, 1.0);
    assert_eq!(crossing, UnixMillis::new(1_000) + Millis::HOUR.times(2) + Millis::new(1));
}

#[test]
fn a_crossing_stays_within_the_instants_there_are() {
    assert_eq!(fades_below(&tag(1.0, 5), Millis::DAY, 1.5), UnixMillis::new(5));
    assert_eq!(fades_below(&tag(1.0, 5), Millis::DAY, 0.0), UnixMillis::MAX);
    assert_eq!(fades_below(&tag(1.0, 5), Millis::DAY, f64::NAN), UnixMillis::MAX);
    assert!(fades_below(&tag(f32::MAX, 0), Millis::DAY.times(400), 1e-30) > UnixMillis::new(0));
    assert_eq!(fades_below(&tag(2.0, 0), Millis::new(i64::MAX), 1.0), UnixMillis::MAX);
    let early = fades_below(&tag(2.0, i64::MIN), Millis::new(1_000_000_000_000_000_000), 1.0);
    assert!(faded(2.0, UnixMillis::MIN, Millis::new(1_000_000_000_000_000_000), early) < 1.0);
    assert_eq!(fades_below(&tag(2.0, 7), Millis::ZERO, 1.0), UnixMillis::new(8));
}

#[test]
fn nothing_fades_backwards() {
    assert_eq!(faded(3.0, UnixMillis::new(100), Millis::HOUR, UnixMillis::new(50)), 3.0);
    assert_eq!(remains(Millis::HOUR, Millis::HOUR), 0.5);
}

#[test]
fn what_is_far_above_reaches_twice_the_threshold() {
    let mut draws = Draws(5);
    let (mut far, mut near) = (0, 0);
    for _ in 0..200_000 {
        #[expect(clippy::cast_possible_truncation, reason = "a score is an f32")]
        let score = exp2(draws.between(-6.0, 8.0)) as f32;
        #[expect(clippy::cast_possible_truncation, reason = "a span of ms")]
        let [half_life, elapsed] =
            [20.0, 24.0].map(|most| Millis::new(exp2(draws.between(0.0, most)) as i64));
        let threshold = exp2(draws.between(-8.0, 2.0));
        let tag = tag(score, 0);
        let now = tag.at + elapsed;
        let twice = faded(score, tag.at, half_life, now) >= 2.0 * threshold;
        if is_far_above(&tag, half_life, threshold, now) {
            assert!(twice, "{tag:?} {half_life} {threshold} {elapsed}");
            far += 1;
        } else if twice {
            near += 1;
        }
    }
    assert!(far > 10_000 && near < far, "{far} {near}");
    // Without a positive half-life all is gone at once, and a threshold too small for its exponent is no trap.
    assert!(!is_far_above(&tag(8.0, 0), Millis::ZERO, 1.0, UnixMillis::new(1)));
    assert!(is_far_above(&tag(8.0, 0), Millis::ZERO, 1.0, UnixMillis::new(-1)));
    assert!(is_far_above(&tag(8.0, 0), Millis::DAY, 1e-310, UnixMillis::new(1)));
}
