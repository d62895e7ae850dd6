//! The smallest run that ever broke each of these, or breaks when a check is left out.

use crate::blow::{At, Blow, Scene, What, is_ack};
use crate::check;
use crate::process::Run;
use crate::shop::{self, PARTITIONS};
use tzeva_commit::Commit;
use tzeva_commit::port::{PortError, SourceReply, StoreReply};
use tzeva_model::Millis;
use tzeva_painter::{Effect, Input};
use tzeva_testkit::sim::Faults;

fn blow(what: What, at: At) -> Blow {
    Blow { what, at, nth: 1 }
}

fn counts(scene: Scene, input: &Input) -> bool {
    scene.state == "owning" && is_ack(input)
}

/// The first dies when a commit counts and nothing of it is published or applied. The second publishes and applies it,
/// and dies before it decides anything. The third finds in the store what its log says: a marker names the epoch that its
/// commit was decided under, not that of the owner who applied it.
#[test]
fn a_marker_set_by_a_successor_names_the_epoch_of_the_commit() {
    let applied = |_, input: &_| matches!(input, Input::Store(StoreReply::Applied(..)));
    let mut run = Run::new(1, Faults::default());
    run.blows.push_back(blow(What::Painter, At::Came(counts)));
    run.blows.push_back(blow(What::Painter, At::Came(applied)));
    shop::view(&run.world, PARTITIONS[0], 1);
    run.start();
    run.assign_somebody();
    run.pass(Millis::SECOND.times(2));
    assert!(run.blows.is_empty(), "both died where they should");
    run.settle();
    check::all(&run);
}

/// A visitor's first view is in the store, the second only in the log. Their new owner has read the markers and asks for
/// the profile to fold the second into; just then the store loses everything. A profile read under another marker than
/// the log was read from is no profile to decide on: a third view waits already.
#[test]
fn a_store_that_goes_back_while_an_owner_recovers_is_read_anew() {
    let reads = |scene: Scene, effect: &_| {
        let of_visitors = |effect: &_| match effect {
            Effect::ReadStore(_, wanted) => wanted.iter().any(|(_, of)| !of.is_empty()),
            _ => false,
        };
        scene.state == "recovering" && of_visitors(effect)
    };
    let mut run = Run::new(1, Faults::default());
    run.start();
    run.assign_somebody();
    shop::view(&run.world, PARTITIONS[0], 1);
    run.pass(Millis::SECOND.times(6));
    run.blows.push_back(blow(What::Painter, At::Came(counts)));
    run.blows.push_back(blow(What::Store, At::Asked(reads)));
    shop::view(&run.world, PARTITIONS[0], 2);
    run.pass_by(Millis::new(1), Millis::new(1));
    shop::view(&run.world, PARTITIONS[0], 3);
    run.pass(Millis::SECOND.times(5));
    assert!(run.blows.is_empty(), "the painter died and the store went back");
    run.settle();
    check::all(&run);
}

/// The clock of a source's broker runs ahead of the log's. Engine time follows the record, the commit's clock is not
/// behind engine time, and the next owner's is not behind that, though its claim is stamped earlier.
#[test]
fn a_record_from_a_broker_that_runs_ahead_takes_every_clock_along() {
    let mut run = Run::new(1, Faults::default());
    run.start();
    run.assign_somebody();
    run.pass(Millis::SECOND);
    shop::view_at(&run.world, PARTITIONS[0], 1, run.world.now() + Millis::SECOND.times(20));
    run.pass(Millis::SECOND);
    run.replace();
    run.pass(Millis::SECOND);
    shop::view(&run.world, PARTITIONS[0], 2);
    run.settle();
    check::all(&run);
}

/// A painter whose own clock goes too fast names a clock that the log's has not reached. The next one's goes on from there.
#[test]
fn the_clock_of_a_hasty_owner_is_not_taken_back_by_the_next() {
    let mut run = Run::new(1, Faults::default());
    run.haste = 3;
    run.start();
    run.assign_somebody();
    run.pass(Millis::SECOND.times(6));
    run.haste = 1;
    run.replace();
    run.pass(Millis::SECOND);
    shop::view(&run.world, PARTITIONS[0], 1);
    run.settle();
    check::all(&run);
}

/// Commits of the first partition that moved no input, and those of them that changed something.
fn by_time(run: &Run) -> (usize, usize) {
    let idle = |commit: &Commit| commit.inputs.iter().all(|input| input.from == input.next);
    let idle: Vec<_> = check::counting(run, PARTITIONS[0]).into_iter().filter(idle).collect();
    (idle.len(), idle.iter().filter(|commit| !commit.changes.is_empty()).count())
}

#[test]
fn an_owner_without_traffic_appends_all_the_same() {
    let mut run = Run::new(1, Faults::default());
    run.start();
    run.assign_somebody();
    run.pass(Millis::MINUTE);
    let (idle, changed) = by_time(&run);
    assert!(
        (4..8).contains(&idle) && changed == 0,
        "{idle} commits in a minute, {changed} changed"
    );
}

/// More than a minute between the log's clock and the local one: one of them is wrong, so nothing is decided by time
/// alone, and events are decided as ever.
#[test]
fn deadlines_hold_while_the_clocks_are_apart() {
    for (apart, fires) in [(59, true), (61, false), (-61, false)] {
        let mut run = Run::new(1, Faults::default());
        run.apart = Millis::SECOND.times(apart);
        run.start();
        run.assign_somebody();
        shop::view(&run.world, PARTITIONS[0], 1);
        run.pass_by(Millis::MINUTE.times(40), Millis::SECOND);
        assert_eq!(by_time(&run).1 > 0, fires, "{apart} s apart");
        shop::view(&run.world, PARTITIONS[0], 2);
        run.pass_by(Millis::SECOND.times(2), Millis::new(200));
        check::all(&run);
    }
}

/// A broker stamps a record 40 ms before anybody can see or count it. Engine time, which follows a proof for a deadline
/// just then, stays behind it by the grace.
#[test]
fn a_record_on_its_way_is_not_behind_a_proof() {
    let mut run = Run::new(1, Faults::default());
    run.start();
    run.assign_somebody();
    run.pass(Millis::SECOND);
    let first = run.world.now();
    shop::view_at(&run.world, PARTITIONS[0], 1, first);
    run.pass_by(Millis::MINUTE.times(29), Millis::SECOND);
    let deadline = first + Millis::MINUTE.times(30);
    run.pass_by(deadline - run.world.now(), Millis::new(1));
    run.pass_by(Millis::new(60), Millis::new(1));
    shop::view_at(&run.world, PARTITIONS[0], 2, deadline + Millis::new(20));
    run.pass_by(Millis::SECOND, Millis::new(1));
    assert_eq!(by_time(&run).1, 1, "the deadline fired");
    check::no_record_is_behind_engine_time(&run);
    check::all(&run);
}

/// A record is there, and counted, a while before readers can see it, as in an open transaction. A proof that counts more
/// than was decided proves nothing.
#[test]
fn a_record_that_cannot_be_seen_yet_holds_engine_time_back() {
    for seed in 0..8 {
        let held = Faults { held_back: 1_000, latency: Millis::new(100), ..Faults::default() };
        let mut run = Run::new(seed, held);
        run.start();
        run.assign_somebody();
        run.pass(Millis::SECOND);
        let first = run.world.now();
        shop::view(&run.world, PARTITIONS[0], 1);
        run.pass_by(Millis::MINUTE.times(29), Millis::SECOND);
        let deadline = first + Millis::MINUTE.times(30);
        run.pass_by(deadline - run.world.now(), Millis::new(10));
        shop::view(&run.world, PARTITIONS[0], 2);
        run.pass_by(Millis::SECOND.times(3), Millis::new(10));
        check::no_record_is_behind_engine_time(&run);
        check::all(&run);
    }
}

/// What a commit tells is never published: then it is never applied either, for what the store vouches for is not looked
/// at again.
#[test]
fn nothing_is_applied_that_is_not_published() {
    let publishes = |_, effect: &_| matches!(effect, Effect::Publish(_, of) if !of.is_empty());
    let mut run = Run::new(1, Faults::default());
    run.blows.push_back(blow(What::Effect, At::Sent(publishes)));
    run.start();
    run.assign_somebody();
    run.pass(Millis::new(200));
    shop::view(&run.world, PARTITIONS[0], 1);
    run.pass(Millis::SECOND.times(30));
    assert!(run.blows.is_empty(), "it was to be published");
    let shard = shop::visitors(PARTITIONS[0])[0].shard();
    assert_eq!(run.world.shard(shard).marker, None);
    run.settle();
    assert!(run.world.shard(shard).marker.is_some(), "the next owner publishes and applies it");
    check::all(&run);
}

#[test]
fn a_lost_position_is_refused_and_nothing_goes_on() {
    let mut run = Run::new(1, Faults::default());
    run.start();
    run.assign_somebody();
    run.pass(Millis::SECOND);
    let attempt = || "open visits at 7, it begins at 9".to_owned();
    let lost = || PortError { attempt: attempt(), transient: false };
    run.tell(PARTITIONS[0], || Input::Source(SourceReply::Lost(PARTITIONS[0], lost())));
    let before = run.world.log(PARTITIONS[0]).len();
    shop::view(&run.world, PARTITIONS[0], 1);
    run.pass(Millis::MINUTE);
    assert_eq!(run.refused, [attempt()]);
    assert_eq!(run.world.log(PARTITIONS[0]).len(), before, "nothing more is appended");
}

#[test]
fn an_empty_log_is_not_opened_unless_told_where_to_begin() {
    let mut run = Run::new(1, Faults::default());
    run.first = None;
    run.start();
    run.assign_somebody();
    run.pass(Millis::SECOND);
    assert_eq!(run.refused.len(), PARTITIONS.len(), "{:?}", run.refused);
    assert!(run.refused[0].contains("start once with --from"), "{}", run.refused[0]);
    assert!(run.world.log(PARTITIONS[0]).is_empty());
}

/// The store loses everything while its owner has all it needs in memory and reads nothing: the next apply finds that
/// out, and the owner fills the store again from the log.
#[test]
fn an_emptied_store_is_filled_again_by_who_only_writes_to_it() {
    let mut run = Run::new(1, Faults::default());
    run.start();
    run.assign_somebody();
    shop::view(&run.world, PARTITIONS[0], 1);
    run.pass(Millis::SECOND.times(6));
    run.world.flush();
    shop::view(&run.world, PARTITIONS[0], 2);
    run.pass(Millis::SECOND.times(30));
    check::all(&run);
}

/// New rules are in force, and just as the first shard is listed for the sweep the store loses everything: a list of
/// nobody. Who is not listed is not met: the marker behind the list tells that the store was not whole.
#[test]
fn a_store_emptied_before_it_is_listed_makes_nobody_look_met() {
    let lists =
        |scene: Scene, effect: &_| scene.state == "owning" && matches!(effect, Effect::Scan(..));
    let mut run = Run::new(1, Faults::default()).with_new_rules();
    run.start();
    run.assign_somebody();
    for number in 0..40 {
        shop::produce(&run.world, number);
        run.pass(Millis::SECOND.times(5));
    }
    run.pass(Millis::SECOND.times(10));
    run.blows.push_back(blow(What::Store, At::Asked(lists)));
    run.publish();
    run.pass(Millis::MINUTE);
    assert!(run.blows.is_empty(), "the store was emptied");
    run.settle();
    check::all(&run);
}

/// Nothing came for twenty minutes, so engine time stands. New rules are heard of, and before a proof can be asked for a
/// record comes. All before it is decided: engine time goes there first, and the rules come into force no earlier than
/// they were published.
#[test]
fn a_record_in_a_quiet_partition_does_not_put_new_rules_into_the_past() {
    let mut run = Run::new(1, Faults::default()).with_new_rules();
    run.start();
    run.assign_somebody();
    run.pass(Millis::SECOND);
    shop::view(&run.world, PARTITIONS[0], 1);
    run.pass(Millis::MINUTE.times(20));
    let published = run.world.now();
    run.publish();
    (0..60).for_each(|_| run.spread());
    shop::view(&run.world, PARTITIONS[0], 2);
    run.pass(Millis::SECOND.times(20));
    let commits = check::counting(&run, PARTITIONS[0]);
    let since = commits.iter().find_map(|commit| Some(commit.sweep.as_ref()?.since));
    let earliest = published - Millis::SECOND;
    assert!(since.is_some_and(|since| since >= earliest), "{since:?}, published at {published}");
    run.settle();
    check::all(&run);
}

/// A new painter reads a log under rules that it has not heard of for half an hour, since the leader of their topic is away.
/// It waits, says for what, and goes on by itself when it hears of them.
#[test]
fn rules_that_the_log_names_are_waited_for_as_long_as_it_takes() {
    let mut run = Run::new(1, Faults::default()).with_new_rules();
    run.start();
    run.assign_somebody();
    run.pass(Millis::SECOND);
    run.publish();
    shop::view(&run.world, PARTITIONS[0], 1);
    run.pass(Millis::MINUTE);
    let newest = run.published[1].version();
    let of = |run: &Run| check::counting(run, PARTITIONS[0]).last().unwrap().rules_version;
    assert_eq!(of(&run), newest, "the log is under the new rules");
    run.deaf = true;
    run.replace();
    shop::view(&run.world, PARTITIONS[0], 2);
    run.pass(Millis::SECOND);
    let appended = run.world.log(PARTITIONS[0]).len();
    let decided = check::counting(&run, PARTITIONS[0]).len();
    run.pass(Millis::MINUTE.times(30));
    assert_eq!(run.refused, [""; 0], "it waits");
    assert_eq!(run.world.log(PARTITIONS[0]).len(), appended, "claims would lead nowhere");
    let troubles = run.troubles();
    assert!(troubles.len() == 2 && troubles[0].contains("topics.rules"), "{troubles:?}");
    run.deaf = false;
    run.pass(Millis::SECOND.times(20));
    assert_eq!(run.troubles(), [""; 0]);
    assert!(check::counting(&run, PARTITIONS[0]).len() > decided, "it goes on");
    check::all(&run);
}
