//! Painters that stand still while others take over, and go on without knowing: frozen in the middle of their work,
//! replaced, and thawed. What they write then counts for nothing, and nothing is lost or doubled by it.
#![cfg(test)]

mod shop;

use shop::data::{now, sample, sample_calls, sample_shop};
use shop::painter::{Painter, drained, live_a_while};
use shop::random::Random;
use shop::{Record, Shop, judge, wait_for};

const ROUNDS: usize = 4;
/// A round is fed before its painter is frozen, when it is, and when it goes on.
const PARTS: usize = 3 * ROUNDS;

/// The sample, in parts; its half year ends now.
fn parts(shop: &Shop) -> Vec<Vec<Record>> {
    let calls = sample_calls();
    let records = sample(shop, now() - calls[calls.len() - 1].0.occurred_at);
    records.chunks(records.len().div_ceil(PARTS)).map(<[Record]>::to_vec).collect()
}

/// Each successor is of another group, so no group tells a thawed painter anything: it owns as far as it knows, decides,
/// and is stopped by the log alone. Then both claim in turn, until the old one is killed.
#[test]
fn a_painter_that_was_frozen_is_fenced_by_the_log_alone() {
    let mut random = Random::from_environment();
    let shop = Shop::open(sample_shop(4, false));
    let parts = parts(&shop);
    let mut painter = Painter::start_in(&shop, "group-0", "painter-0", 0);
    for (round, fed) in parts.chunks(3).enumerate() {
        drained(&shop, &mut painter, false);
        shop.feed(&fed[0]);
        live_a_while(&shop, &mut random);
        painter.freeze();
        let next = round + 1;
        let successor =
            Painter::start_in(&shop, &format!("group-{next}"), &format!("painter-{next}"), 0);
        let mut zombie = std::mem::replace(&mut painter, successor);
        shop.feed(&fed[1]);
        drained(&shop, &mut painter, false);
        zombie.thaw();
        shop.feed(&fed[2]);
        wait_for("the zombie is fenced", || {
            zombie.still_runs();
            zombie.has_said("fenced by the claim").then_some(())
        });
        live_a_while(&shop, &mut random);
        zombie.kill();
    }
    drained(&shop, &mut painter, false);
    painter.stop();

    let verdicts = judge::all(&shop);
    assert_eq!(verdicts.events, parts.iter().map(Vec::len).sum::<usize>());
    assert!(verdicts.ignored > 0, "no zombie wrote anything");
    println!(
        "{} changes, {} claims, {} commits of zombies, {} repeats",
        verdicts.changes.len(),
        verdicts.claims,
        verdicts.ignored,
        verdicts.repeated
    );
}

/// What an orchestrator does with a painter that hangs: it starts another one under the same name. The group takes it
/// for the same member, and when the hung one goes on it has to leave.
#[test]
fn a_painter_replaced_under_its_name_leaves_when_it_goes_on() {
    let mut random = Random::from_environment();
    let shop = Shop::open(sample_shop(4, false));
    let parts = parts(&shop);
    let mut painter = Painter::start_as(&shop, "painter", 0);
    for (round, fed) in parts.chunks(3).enumerate().take(2) {
        drained(&shop, &mut painter, false);
        shop.feed(&fed[0]);
        live_a_while(&shop, &mut random);
        painter.freeze();
        let successor = Painter::start_as(&shop, "painter", round + 1);
        let mut zombie = std::mem::replace(&mut painter, successor);
        shop.feed(&fed[1]);
        drained(&shop, &mut painter, false);
        zombie.thaw();
        shop.feed(&fed[2]);
        let status = wait_for("the zombie leaves", || zombie.ended());
        assert!(!status.success(), "it can't have ended well");
        assert!(
            zombie.has_said("another process has joined it under the same `kafka.instance`"),
            "{}",
            zombie.says()
        );
    }
    drained(&shop, &mut painter, false);
    painter.stop();

    let verdicts = judge::all(&shop);
    assert_eq!(verdicts.events, parts[..6].iter().map(Vec::len).sum::<usize>());
    println!(
        "{} changes, {} claims, {} repeats",
        verdicts.changes.len(),
        verdicts.claims,
        verdicts.repeated
    );
}
