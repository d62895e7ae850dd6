//! Every named place at which a painter may be killed, one by one: whatever dies there, the next owner goes on, and after
//! it all checks of `check.rs` hold. A place that a run never comes to fails its test.

use crate::blow::{At, Blow, Scene, What, commit, is_ack, is_claim};
use crate::check;
use crate::process::Run;
use crate::shop;
use tzeva_commit::Commit;
use tzeva_commit::port::{ApplyResult, ChangesReply, Outgoing, SourceReply, StoreReply};
use tzeva_model::Millis;
use tzeva_painter::{Effect, Input};
use tzeva_testkit::sim::Faults;

/// A place, and how often a run comes by at least.
struct Point {
    name: &'static str,
    at: At,
    times: u32,
}

const fn point(name: &'static str, at: At, times: u32) -> Point {
    Point { name, at, times }
}

const POINTS: [Point; 25] = [
    point("after fetch", At::Came(fetched), 3),
    point("after decide", At::Asked(decided), 3),
    point("append sent", At::Sent(decided), 3),
    point("append acked", At::Came(acked), 3),
    point("append acked, nothing done of it", At::Handled(acked), 3),
    point("mid-apply", At::Half, 2),
    point("apply sent", At::Sent(applies), 3),
    point("applied", At::Came(applied), 3),
    point("publish sent", At::Sent(publishes), 3),
    point("projected, unacked", At::Came(published), 3),
    point("projected", At::Handled(published), 3),
    point("offsets committed", At::Sent(tells_progress), 3),
    point("claim sent", At::Sent(claims), 2),
    point("claim acked", At::Came(claimed), 2),
    point("mid-recovery, something read", At::Came(recovers), 10),
    point("mid-recovery, something asked for", At::Sent(asks_to_recover), 10),
    point("recovered, nothing done yet", At::Handled(recovers_last), 2),
    point("deadline batch decided", At::Asked(by_time), 2),
    point("deadline batch sent", At::Sent(by_time), 2),
    point("dead letter decided", At::Asked(refuses), 1),
    point("dead letter logged", At::Sent(refuses), 1),
    point("dead letter sent", At::Sent(buries), 1),
    point("during shutdown, before the last apply", At::Asked(applies_last), 1),
    point("during shutdown, the last apply sent", At::Sent(applies_last), 1),
    point("during shutdown, applied", At::Handled(applied_last), 1),
];

/// Where new rules come into force and reach everybody.
const OF_RULES: [Point; 6] = [
    point("rules activation decided", At::Asked(switches), 2),
    point("rules activation sent", At::Sent(switches), 2),
    point("a shard is listed", At::Came(lists), 2),
    point("profiles of a sweep page asked for", At::Sent(reads), 2),
    point("sweep page decided", At::Asked(sweeps), 2),
    point("sweep page sent", At::Sent(sweeps), 2),
];

fn switches(_: Scene, effect: &Effect) -> bool {
    commit(effect).and_then(|commit| commit.sweep).is_some_and(|sweep| sweep.met.is_none())
}

fn sweeps(_: Scene, effect: &Effect) -> bool {
    let still = |commit: &Commit| commit.inputs.iter().all(|input| input.from == input.next);
    let met = |commit: Commit| commit.sweep.is_some_and(|sweep| sweep.met.is_some());
    commit(effect).filter(still).is_some_and(met)
}

fn lists(scene: Scene, input: &Input) -> bool {
    scene.state == "owning" && matches!(input, Input::Store(StoreReply::Scanned(..)))
}

fn reads(scene: Scene, effect: &Effect) -> bool {
    scene.state == "owning" && matches!(effect, Effect::ReadStore(..))
}

fn fetched(scene: Scene, input: &Input) -> bool {
    let some = |reply: &SourceReply| match reply {
        SourceReply::Records { records, .. } => !records.is_empty(),
        _ => false,
    };
    scene.state == "owning" && matches!(input, Input::Source(reply) if some(reply))
}

fn decided(_: Scene, effect: &Effect) -> bool {
    commit(effect).is_some_and(|commit| !commit.deltas.is_empty())
}

fn acked(scene: Scene, input: &Input) -> bool {
    scene.state == "owning" && is_ack(input)
}

fn applies(_: Scene, effect: &Effect) -> bool {
    matches!(effect, Effect::ApplyStore(..))
}

fn applied(_: Scene, input: &Input) -> bool {
    let all =
        |results: &[(_, ApplyResult)]| results.iter().all(|(_, r)| *r == ApplyResult::Applied);
    matches!(input, Input::Store(StoreReply::Applied(_, _, results)) if all(results))
}

fn publishes(_: Scene, effect: &Effect) -> bool {
    matches!(effect, Effect::Publish(_, messages) if !messages.is_empty())
}

fn published(_: Scene, input: &Input) -> bool {
    matches!(input, Input::Changes(ChangesReply::Published(..)))
}

fn tells_progress(_: Scene, effect: &Effect) -> bool {
    matches!(effect, Effect::Progress(_))
}

fn claims(_: Scene, effect: &Effect) -> bool {
    is_claim(effect)
}

fn claimed(scene: Scene, input: &Input) -> bool {
    scene.state == "claiming" && is_ack(input)
}

fn recovers(scene: Scene, _: &Input) -> bool {
    scene.state == "recovering"
}

fn asks_to_recover(scene: Scene, _: &Effect) -> bool {
    scene.state == "recovering"
}

fn recovers_last(scene: Scene, input: &Input) -> bool {
    scene.state == "recovering" && matches!(input, Input::Changes(ChangesReply::Tail(..)))
}

fn by_time(_: Scene, effect: &Effect) -> bool {
    let alone = |commit: &Commit| commit.inputs.iter().all(|input| input.from == input.next);
    commit(effect).is_some_and(|commit| alone(&commit) && !commit.changes.is_empty())
}

fn refuses(_: Scene, effect: &Effect) -> bool {
    commit(effect).is_some_and(|commit| !commit.dead_letters.is_empty())
}

fn buries(_: Scene, effect: &Effect) -> bool {
    let letter = |message: &Outgoing| matches!(message, Outgoing::DeadLetter { .. });
    matches!(effect, Effect::Publish(_, messages) if messages.iter().any(letter))
}

fn applies_last(scene: Scene, effect: &Effect) -> bool {
    scene.stopping && applies(scene, effect)
}

fn applied_last(scene: Scene, input: &Input) -> bool {
    scene.stopping && applied(scene, input)
}

/// A run in which a painter dies at an arbitrary moment, its successor at `blow`, and the last one shuts down.
fn run(seed: u64, blow: Blow) -> Run {
    lived(Run::new(seed, faults()), blow)
}

fn faults() -> Faults {
    Faults { latency: Millis::new(20), ..Faults::default() }
}

fn lived(mut run: Run, blow: Blow) -> Run {
    run.start();
    run.assign_somebody();
    for number in 0..60 {
        if number == 15 {
            run.replace();
            run.blows.push_back(blow);
        }
        if number % 20 == 16 {
            run.publish();
        }
        shop::produce(&run.world, number);
        let gap = run.world.below(20_000).cast_signed();
        run.pass_by(Millis::new(gap), Millis::SECOND);
    }
    // What is decided now is not applied when the end is asked for.
    (60..64).for_each(|number| shop::produce(&run.world, number));
    run.pass_by(Millis::new(100), Millis::new(50));
    run.stop();
    run.pass_by(Millis::new(2_000), Millis::new(200));
    run.settle();
    run
}

#[test]
fn killed_at_any_named_point_nothing_is_lost_and_nothing_doubled() {
    for Point { name, at, times } in POINTS {
        for nth in 1..=times {
            let seed = u64::from(nth) + 100 * name.len() as u64;
            println!("{name}, time {nth}, seed {seed}");
            let run = run(seed, Blow { what: What::Painter, at, nth });
            assert!(run.blows.is_empty(), "a run never came to: {name}, time {nth}");
            check::all(&run);
        }
    }
}

#[test]
fn killed_at_any_point_of_a_switch_or_a_sweep_new_rules_reach_everybody_once() {
    for Point { name, at, times } in OF_RULES {
        for nth in 1..=times {
            let seed = u64::from(nth) + 100 * name.len() as u64;
            println!("{name}, time {nth}, seed {seed}");
            let blow = Blow { what: What::Painter, at, nth };
            let run = lived(Run::new(seed, faults()).with_new_rules(), blow);
            assert!(run.blows.is_empty(), "a run never came to: {name}, time {nth}");
            assert!(
                run.seen.activations > 0 && run.seen.swept > 0,
                "rules changed: {:?}",
                run.seen
            );
            check::all(&run);
        }
    }
}
