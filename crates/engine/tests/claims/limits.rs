//! The largest stored profile: what would lead beyond it is refused and leaves no trace.

use crate::given::{D, H, M, Run, about, at, audience, event, some, visitor};
use tzeva_engine::{Counts, Settings};
use tzeva_model::{Event, Outcome, RejectionCode};
use tzeva_profile::stored;

const LIMIT: usize = 1_000;

fn small() -> Run {
    let audiences = vec![audience("seen", some("visit", H)), audience("big", some("big", H))];
    Run::with(audiences, Settings { max_profile_bytes: LIMIT, ..Settings::default() })
}

/// An event that no profile of so few bytes has room for.
fn big(offset: i64) -> Event {
    Event { page_path: Some("/".repeat(2 * LIMIT).into()), ..event(offset, "big") }
}

fn refuse(run: &mut Run, offset: i64, event: &Event) {
    match run.take(offset, event) {
        Outcome::Rejected(rejection) => assert_eq!(rejection.code, RejectionCode::TooLarge),
        other => panic!("{other:?}"),
    }
}

fn counted_but_for_size(run: &Run) -> Counts {
    Counts { measured: 0, ..run.draft.counts }
}

#[test]
fn an_event_too_large_for_the_profile_leaves_no_trace_of_it() {
    let (mut run, mut plain) = (small(), small());
    for run in [&mut run, &mut plain] {
        run.event(0, "visit");
    }
    refuse(&mut run, M, &big(M));
    plain.engine.fire_until(at(M), &mut plain.draft);
    assert_eq!(run.draft.deltas, plain.draft.deltas);
    assert_eq!(run.draft.changes, plain.draft.changes);
    assert_eq!(counted_but_for_size(&run), counted_but_for_size(&plain));
    assert_eq!(run.engine.profile(&visitor("v")), plain.engine.profile(&visitor("v")));
    assert_eq!(run.engine.next_deadline(), plain.engine.next_deadline());
    for run in [&mut run, &mut plain] {
        run.event(2 * M, "visit");
        run.until(D);
    }
    assert_eq!(run.lines(), ["0s v +seen event Leaf(0)", "1h2m v -seen deadline Leaf(0)"]);
    assert_eq!(run.draft.deltas, plain.draft.deltas);
}

#[test]
fn a_stranger_whose_first_event_is_too_large_stays_a_stranger() {
    let mut run = small();
    refuse(&mut run, 0, &big(0));
    assert!(run.draft.is_empty());
    assert_eq!(run.engine.profile(&visitor("v")), None);
    assert_eq!(run.engine.next_deadline(), None);
    assert!(run.engine.holds(&visitor("v")), "it is known that there is nothing");
    run.event(M, "visit");
    assert_eq!(run.lines(), ["1m v +seen event Leaf(0)"]);
}

#[test]
fn another_visitors_delta_of_the_same_draft_stays() {
    let mut run = small();
    run.event(0, "visit");
    let before = run.draft.deltas.clone();
    let stranger = Event { visitor: visitor("w"), ..big(M) };
    refuse(&mut run, M, &stranger);
    assert_eq!(run.draft.deltas, before);
    let visit = Event { visitor: visitor("w"), ..event(2 * M, "visit") };
    assert_eq!(run.take(2 * M, &visit), Outcome::Painted);
    assert_eq!(run.draft.deltas.len(), 2);
}

#[test]
fn a_profile_grows_up_to_the_limit_and_no_further() {
    let mut run = small();
    let mut refused = 0;
    for number in 0..200 {
        let offset = number * M;
        let view = about(event(offset, "product_viewed"), &format!("p{number}"), "Shoes");
        refused += u64::from(run.take(offset, &view) != Outcome::Painted);
        let bytes = stored::encode(run.engine.profile(&visitor("v")).unwrap()).len();
        assert!(bytes <= LIMIT, "{bytes}");
    }
    assert!(refused > 50, "{refused}");
    assert!(run.draft.counts.measured <= 201, "measured once an event near the limit, no more");
}
