//! The fast way of deciding against the direct one, on the histories that an engine meets.

use super::*;
use crate::live::Look;
use tzeva_audience::Node;
use tzeva_cases::{Case as Scenario, Random, Wanted, case_with, engine_settings};
use tzeva_lens::view::View;
use tzeva_model::{Amount, Category, EventId, Item, Millis, Name};

/// So many milliseconds from a decision on are looked at.
const AHEAD: i64 = 60;

/// Calls `law` with every visitor after every record of many histories, as the engine holds it.
fn each_visitor(policies: bool, mut law: impl FnMut(&Engine, &Visitor)) {
    for seed in 1..=400u64 {
        println!("seed {seed}");
        let wanted =
            Wanted { policies, unsteady: false, long: seed.is_multiple_of(8), activations: false };
        let case = case_with(seed, wanted);
        let (settings, records) = (engine_settings!(case), case.records());
        let Scenario { rules, until, .. } = case;
        let mut engine = Engine::new(Arc::new(rules), settings, UnixMillis::MIN);
        for (time, event) in &records {
            let mut draft = Draft::default();
            engine.fire_until(*time, &mut draft);
            let _ = engine.take(*time, event, &mut draft);
            engine.roster.get(&event.visitor).into_iter().for_each(|known| law(&engine, known));
        }
        engine.fire_until(until, &mut Draft::default());
        for (_, event) in &records {
            engine.roster.get(&event.visitor).into_iter().for_each(|known| law(&engine, known));
        }
    }
}

/// Where `visitor` is looked at from, so many milliseconds after the engine's time.
fn look<'a>(engine: &'a Engine, visitor: &'a Visitor, ahead: i64) -> Look<'a> {
    let Visitor { profile, live, .. } = visitor;
    let now = engine.now + Millis::new(ahead);
    Look { program: engine.rules.program(), profile, live: live.as_ref().unwrap(), now }
}

/// The truth of a condition, read off the history.
fn direct(engine: &Engine, node: &Node, visitor: &Visitor, now: UnixMillis) -> bool {
    match node {
        Node::All(parts) => parts.iter().all(|part| direct(engine, part, visitor, now)),
        Node::Any(parts) => parts.iter().any(|part| direct(engine, part, visitor, now)),
        Node::Not(part) => !direct(engine, part, visitor, now),
        Node::Leaf(leaf) => {
            engine.rules.program().lens.leaf(leaf, View::now(&visitor.profile), now).holds
        }
    }
}

#[test]
fn a_clause_says_at_every_instant_what_the_history_says() {
    let mut flips = 0;
    each_visitor(true, |engine, visitor| {
        for clause in &engine.rules.program().clauses {
            let lens = engine.rules.program().lens;
            let truth = |at| lens.leaf(&clause.leaf, View::now(&visitor.profile), at).holds;
            let first = look(engine, visitor, 0).clause(clause);
            for ahead in 0..AHEAD {
                let look = look(engine, visitor, ahead);
                assert_eq!(look.clause(clause).holds, truth(look.now), "{:?}", clause.leaf);
                if look.now < first.next {
                    assert_eq!(first.holds, truth(look.now), "flips late: {:?}", clause.leaf);
                }
                flips += u64::from(look.now == first.next && first.holds != truth(look.now));
            }
        }
    });
    assert!(flips > 1_000, "clauses flip by time: {flips}");
}

#[test]
fn an_audience_whose_gate_is_shut_can_not_come_true_by_time() {
    let mut shut = 0;
    each_visitor(true, |engine, visitor| {
        let audiences = &engine.rules.program().rules.audiences;
        for (plan, audience) in engine.rules.program().plans.iter().zip(audiences) {
            let open = look(engine, visitor, 0).is_open(plan);
            shut += u64::from(!open);
            for ahead in 0..AHEAD {
                let look = look(engine, visitor, ahead);
                let truth = direct(engine, &audience.enter, visitor, look.now);
                assert_eq!(look.plan(plan).0.holds, truth, "{:?}", audience.enter);
                assert!(open || !truth, "{:?}", audience.enter);
            }
        }
    });
    assert!(shut > 1_000, "gates are shut: {shut}");
}

#[test]
fn a_profile_takes_no_more_bytes_than_are_accounted_for() {
    let mut greatest = 0;
    each_visitor(true, |engine, visitor| {
        let mut visitor = visitor.clone();
        let bytes = size::measure(&mut visitor.profile);
        let limit = engine.settings.max_profile_bytes;
        assert!(bytes + visitor.room <= limit, "{bytes} and {} free", visitor.room);
        greatest = greatest.max(bytes);
    });
    assert!(greatest > 200, "{greatest}");
}

#[test]
fn a_large_profile_takes_no_more_bytes_than_are_accounted_for() {
    let case = tzeva_cases::case(1);
    let (rules, records) = (case.rules.clone(), case.records());
    let mut engine = Engine::new(Arc::new(rules), Settings::default(), UnixMillis::MIN);
    let random = &mut Random::new(1);
    let (start, event) = records[0].clone();
    let mut greatest = 0;
    for number in 0..6_000 {
        let now = start + Millis::new(number * 1_800_000);
        let id = EventId::new(&format!("e{number}"));
        let name = Name::new(NameKind::Event, random.pick(&["x", "y", "z", "order_completed"]));
        let items = (0..random.within(0, 5)).map(|_| item(random)).collect();
        let event = Event { id, name, items, occurred_at: now, ..event.clone() };
        engine.fire_until(now, &mut Draft::default());
        assert_eq!(engine.take(now, &event, &mut Draft::default()), Outcome::Painted);
        if number % 20 == 0 {
            let mut visitor = engine.roster.get(&event.visitor).unwrap().clone();
            let bytes = size::measure(&mut visitor.profile);
            let limit = engine.settings.max_profile_bytes;
            assert!(bytes + visitor.room <= limit, "{bytes} and {} free of {limit}", visitor.room);
            greatest = greatest.max(bytes);
        }
    }
    assert!(greatest > 40_000, "{greatest}");
}

/// One of many products, each with a brand and a category of its own.
fn item(random: &mut Random) -> Item {
    let number = random.below(4_000);
    Item {
        product: Some(Name::new(NameKind::Product, &format!("p{number}"))),
        brand: Some(Name::new(NameKind::Brand, &format!("b{}", number % 300))),
        category: Category::from_parts(format!("c{}/d{number}", number % 20).split('/')),
        price: Some(Amount::new(random.within(1, 90_000))),
        quantity: random.maybe(50, |r| u32::try_from(r.within(1, 9)).unwrap()),
    }
}
