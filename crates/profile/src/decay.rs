//! Fading: how much of a score is left, and the first millisecond at which it lies below a threshold.
//!
//! A crossing is an instant that people see and other machines must agree on, so nothing here may differ between
//! processors, compilers or C libraries: [`exp2`] and [`log2`] are made of + − × / on f64 alone, which IEEE 754 rounds
//! the same way everywhere. No fused multiply-add, no libm, no optimisation that reorders. Both are accurate to one
//! unit in the last place and exact where the answer is a power of two or a whole number.
//!
//! The closed form of a crossing only guesses: the answer is found by asking [`faded`], the function that also decides
//! whether a condition holds, on both sides of it. So a deadline and the truth that it announces can't disagree.

mod table;

use crate::Tag;
use table::{EXP2, LOG2};
use tzeva_model::{Millis, UnixMillis};

/// Adding and subtracting this rounds a small f64 to a whole number, ties to even.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// 1 / ln 2 as a head of 27 bits, whose products with short numbers are exact, and the rest.
const INV_LN2_HEAD: f64 = f64::from_bits(0x3ff7_1547_6400_0000);
const INV_LN2_REST: f64 = f64::from_bits(0x3e32_b82f_e177_7d10);
const INV_LN2: f64 = std::f64::consts::LOG2_E;

/// 2 to the power of `x`, within one unit in the last place; exact for whole `x`.
///
/// Shape: infinite above 1,024, zero below −1,075, NaN for NaN.
#[must_use]
pub fn exp2(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x >= 1_024.0 {
        return f64::INFINITY;
    }
    if x <= -1_080.0 {
        return 0.0;
    }
    // x = power + step/64 + r, |r| <= 1/128, all exact.
    let whole = (x * 64.0 + ROUNDER) - ROUNDER;
    let r = x - whole / 64.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole, within 70,000")]
    let whole = whole as i32;
    let power = (whole + 32).div_euclid(64);
    let step = (whole + 32).rem_euclid(64);
    let (head, rest) = EXP2[usize::try_from(step).unwrap_or(0)];
    let (head, rest) = (f64::from_bits(head), f64::from_bits(rest));
    let series = 0.000_154_035_303_933_816_1;
    let series = 0.001_333_355_814_642_844_3 + r * series;
    let series = 0.009_618_129_107_628_477 + r * series;
    let series = 0.055_504_108_664_821_58 + r * series;
    let series = 0.240_226_506_959_100_72 + r * series;
    let series = (std::f64::consts::LN_2 + r * series) * r;
    scale(head + (rest + head * series), power)
}

/// The logarithm of `x` to base 2, within one unit in the last place; exact for powers of two.
///
/// Shape: minus infinity for 0, NaN for negative numbers and NaN.
#[must_use]
pub fn log2(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x.is_infinite() {
        return x;
    }
    let (m, power) = split(x);
    // m ≈ i/64; r = m × inverse − 1 in two exact products, rounded once.
    let nearest = (m * 64.0 + ROUNDER) - ROUNDER;
    #[expect(clippy::cast_possible_truncation, reason = "whole, 45 to 90")]
    #[expect(clippy::cast_sign_loss, reason = "m is positive")]
    let (inverse, log_head, log_rest) = LOG2[(nearest as usize).clamp(45, 91) - 45];
    let inverse = f64::from_bits(inverse);
    let m_head = f64::from_bits(m.to_bits() & 0xffff_ffff_f800_0000);
    let r = (m_head * inverse - 1.0) + (m - m_head) * inverse;
    // r / ln 2 as an exact product and a small rest.
    let r_head = f64::from_bits(r.to_bits() & 0xffff_ffff_f800_0000);
    let linear = r_head * INV_LN2_HEAD;
    let linear_rest = (r - r_head) * INV_LN2_HEAD + r * INV_LN2_REST;
    let series = 1.0 / 9.0;
    let series = -1.0 / 8.0 + r * series;
    let series = 1.0 / 7.0 + r * series;
    let series = -1.0 / 6.0 + r * series;
    let series = 1.0 / 5.0 + r * series;
    let series = -1.0 / 4.0 + r * series;
    let series = 1.0 / 3.0 + r * series;
    let series = -0.5 + r * series;
    let curved = r * r * series * INV_LN2;
    // The heads add up exactly; what their sum loses is kept.
    let whole = power + f64::from_bits(log_head);
    let sum = whole + linear;
    let part = sum - whole;
    let lost = (whole - (sum - part)) + (linear - part);
    sum + (lost + (f64::from_bits(log_rest) + (linear_rest + curved)))
}

/// What `elapsed` leaves of a whole: 2^(−elapsed / half-life).
///
/// Shape: 1 for no time or less; 0 if the half-life is not positive and time has passed.
#[must_use]
pub fn remains(elapsed: Millis, half_life: Millis) -> f64 {
    if elapsed <= Millis::ZERO {
        return 1.0;
    }
    if half_life <= Millis::ZERO {
        return 0.0;
    }
    exp2(-(number(elapsed) / number(half_life)))
}

/// What is left at `now` of a score that was `score` at `painted`.
///
/// Shape: the score itself at `painted` and before. Replay: same arguments, same bits, on every machine.
#[must_use]
pub fn faded(score: f32, painted: UnixMillis, half_life: Millis, now: UnixMillis) -> f64 {
    f64::from(score) * remains(now - painted, half_life)
}

/// Tells, cheaply, that [`faded`] is at least twice `threshold`, which is positive, at `now`. False tells nothing.
#[must_use]
pub fn is_far_above(tag: &Tag, half_life: Millis, threshold: f64, now: UnixMillis) -> bool {
    // The score is at least 2^s, the threshold less than 2^(t + 1); s − t − 2 half-lives leave at least 2^(t + 2).
    let halvings = exponent(f64::from(tag.score)) - exponent(threshold) - 2;
    halvings >= 0 && (now - tag.at).get() <= half_life.get().saturating_mul(halvings)
}

/// The first millisecond, from the tag's last painting on, at which it has faded below `threshold`.
///
/// Shape: `tag.at` if it is below already; `UnixMillis::MAX` if it isn't by then (so also for a threshold of 0).
/// Replay: same arguments, same answer, on every machine.
#[must_use]
pub fn fades_below(tag: &Tag, half_life: Millis, threshold: f64) -> UnixMillis {
    let below = |at: UnixMillis| faded(tag.score, tag.at, half_life, at) < threshold;
    if below(tag.at) {
        return tag.at;
    }
    if !below(UnixMillis::MAX) {
        return UnixMillis::MAX.max(tag.at);
    }
    let wait = number(half_life) * log2(f64::from(tag.score) / threshold);
    #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 stops at the ends")]
    let guess = tag.at + Millis::new(wait as i64) + Millis::new(1);
    first(below, tag.at, guess.clamp(tag.at, UnixMillis::MAX))
}

/// The first instant at which `holds`, which is false at `low` and true at `UnixMillis::MAX`, and does not turn false
/// again; `guess` lies near it.
fn first(holds: impl Fn(UnixMillis) -> bool, low: UnixMillis, guess: UnixMillis) -> UnixMillis {
    let (mut no, mut yes) = (low, UnixMillis::MAX);
    // Steps that double, from the guess outwards: two tests are the rule, a few more behind absurd half-lives.
    let mut step = Millis::new(1);
    if holds(guess) {
        yes = guess;
        while yes - step > no && holds(yes - step) {
            yes = yes - step;
            step = step.times(2);
        }
        no = no.max(yes - step);
    } else {
        no = no.max(guess);
        while no + step < yes && !holds(no + step) {
            no = no + step;
            step = step.times(2);
        }
        yes = yes.min(no + step);
    }
    while no + Millis::new(1) < yes {
        let middle = no + Millis::new((yes - no).get() / 2);
        if holds(middle) { yes = middle } else { no = middle }
    }
    yes
}

/// `value × 2^power`, in steps that only the last of which can leave the normal numbers.
fn scale(value: f64, power: i32) -> f64 {
    if power > 1_023 {
        return value * 2.0 * power_of_two(power - 1);
    }
    if power < -1_022 {
        return value * power_of_two(power + 120) * power_of_two(-120);
    }
    value * power_of_two(power)
}

/// 2^power for a power of the normal numbers, from its bits.
fn power_of_two(power: i32) -> f64 {
    f64::from_bits(u64::from((power + 1_023).clamp(1, 2_046).unsigned_abs()) << 52)
}

/// The power of two that the positive and finite `x` reaches; of subnormal numbers one that they don't.
fn exponent(x: f64) -> i64 {
    (x.to_bits() >> 52).cast_signed() - 1_023
}

/// `x`, positive and finite, as m × 2^power with m in [45/64, 90/64).
fn split(x: f64) -> (f64, f64) {
    // 2^54 lifts the subnormal numbers among the normal ones.
    let (x, lifted) = if x < f64::MIN_POSITIVE { (x * power_of_two(54), 54) } else { (x, 0) };
    let bits = x.to_bits();
    let power = i32::try_from(bits >> 52).unwrap_or(0) - 1_023 - lifted;
    let m = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000);
    if m >= 1.406_25 { (m * 0.5, f64::from(power + 1)) } else { (m, f64::from(power)) }
}

/// A duration as f64; past 2^53 ms, 285,000 years, it is rounded.
#[expect(clippy::cast_precision_loss, reason = "exact for every duration below 285,000 years")]
fn number(duration: Millis) -> f64 {
    duration.get() as f64
}

#[cfg(test)]
mod tests;
