//! What the stored form costs: `cargo bench -p tzeva-profile`. Prints processor time of encoding and of decoding a profile
//! of 20 events, over some thousand different ones, several rounds.
#![expect(clippy::disallowed_methods, reason = "the time spent is read from a file of the system")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::cast_precision_loss, reason = "means of counts")]

#[path = "../tests/visitors/mod.rs"]
mod visitors;

use std::hint::black_box;
use tzeva_profile::{Profile, stored};

const VISITORS: u64 = 2_000;
const ROUNDS: u64 = 10;

fn main() {
    let profiles: Vec<Profile> = (0..VISITORS).map(visitors::visitor).collect();
    let bytes: Vec<Vec<u8>> = profiles.iter().map(stored::encode).collect();
    for _ in 0..3 {
        let encode = each(|| {
            profiles.iter().for_each(|profile| drop(black_box(stored::encode(profile))));
        });
        let decode = each(|| {
            bytes.iter().for_each(|bytes| drop(black_box(stored::decode(bytes))));
        });
        println!("encode {encode:.0} ns, decode {decode:.0} ns a profile");
    }
}

fn each(round: impl Fn()) -> f64 {
    let started = processor_ns();
    (0..ROUNDS).for_each(|_| round());
    (processor_ns() - started) as f64 / (VISITORS * ROUNDS) as f64
}

/// Time that this thread has had on a processor, so that a busy machine doesn't count; known on Linux only.
fn processor_ns() -> u64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    spent.split(' ').next().and_then(|spent| spent.parse().ok()).unwrap_or(0)
}
