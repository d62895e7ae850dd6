//! What a plan says about rules and stored visitors.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use tzeva_audience::{CheckSettings, RuleSet, SourceFile, compile};
use tzeva_engine::{Draft, Engine, Settings};
use tzeva_model::{
    Event, EventId, Millis, Name, NameKind, Outcome, RulesVersion, UnixMillis, VisitorId,
};
use tzeva_plan::{Given, Members, Plan, Stored, hex};
use tzeva_profile::stored;

const SEEN: UnixMillis = UnixMillis::new(1_795_341_600_000);
const LOOKED: &str = "audience: looked\nenter: { event: { name: product_viewed, within: 3d } }\n";
const TWICE: &str =
    "audience: looked\nenter: { event: { name: product_viewed, count: '>= 2', within: 3d } }\n";
const EVER: &str = "audience: ever\nenter: { event: { name: product_viewed } }\n";

fn rules(version: u64, text: &str) -> RuleSet {
    let file = SourceFile { path: "a.yaml".into(), text: text.into() };
    let settings = CheckSettings { require_paint: false, ..CheckSettings::default() };
    let version = RulesVersion::new(version);
    RuleSet { version, ..compile(&[file], &settings).rules.unwrap() }
}

/// Visitors who looked once, as the rules left them.
fn store(rules: &RuleSet, visitors: &[&str]) -> BTreeMap<VisitorId, Vec<u8>> {
    let mut engine = Engine::new(Arc::new(rules.clone()), Settings::default(), SEEN);
    let mut one = |name: &&str| {
        let visitor = VisitorId::try_new(name).unwrap();
        let event = Event {
            visitor: visitor.clone(),
            id: EventId::new("e-1"),
            name: Name::new(NameKind::Event, "product_viewed"),
            occurred_at: SEEN,
            items: Vec::new(),
            revenue: None,
            currency: None,
            coupon: None,
            channel: None,
            country: None,
            page_path: None,
            properties: Vec::new(),
            traceparent: None,
            traits: Vec::new(),
        };
        assert_eq!(engine.take(SEEN, &event, &mut Draft::default()), Outcome::Painted);
        let bytes = stored::encode(engine.profile(&visitor).unwrap());
        (visitor, bytes)
    };
    visitors.iter().map(&mut one).collect()
}

fn plan(old: &RuleSet, new: &RuleSet, after: Millis, store: &BTreeMap<VisitorId, Vec<u8>>) -> Plan {
    let (settings, now) = (Settings::default(), SEEN + after);
    let given = Given { old: Some(old), new, settings, now };
    let read = |shard| {
        let of = store.iter().filter(|(visitor, _)| visitor.shard() == shard);
        Ok::<Stored, Infallible>(of.map(|(id, bytes)| (id.clone(), bytes.clone())).collect())
    };
    Plan::make(given, read, |_, _| {}).unwrap()
}

fn members(now: u64, gained: u64, lost: u64) -> Members {
    Members { now, gained, lost }
}

#[test]
fn who_would_enter_and_leave_is_counted_by_the_store() {
    let old = rules(1, LOOKED);
    let new = rules(1, &format!("{TWICE}---\n{EVER}"));
    let mut store = store(&old, &["a", "b", "c"]);
    store.insert(VisitorId::try_new("damaged").unwrap(), b"?".to_vec());
    let plan = plan(&old, &new, Millis::HOUR, &store);
    assert_eq!(plan.differences.added, ["ever"]);
    assert_eq!(plan.differences.edited["looked"], ["enter"]);
    assert_eq!(plan.forecast.audiences["looked"], members(3, 0, 3));
    assert_eq!(plan.forecast.audiences["ever"], members(0, 3, 0));
    assert_eq!((plan.forecast.visitors, plan.forecast.unreadable), (4, 1));
}

#[test]
fn whom_time_alone_takes_out_before_is_no_loss_of_the_new_rules() {
    let old = rules(1, LOOKED);
    let store = store(&old, &["a", "b"]);
    let plan = plan(&old, &rules(1, TWICE), Millis::DAY.times(4), &store);
    assert_eq!(plan.forecast.audiences["looked"], members(0, 0, 0));
}

#[test]
fn earlier_rules_are_met_anew_though_profiles_carry_their_version() {
    let first = rules(7, LOOKED);
    let store = store(&first, &["a"]);
    // In between others counted; now the first ones shall again, under the version that the profile carries.
    let plan = plan(&rules(8, EVER), &first, Millis::HOUR, &store);
    assert_eq!(plan.differences.removed, ["ever"]);
    assert_eq!(plan.forecast.audiences["looked"], members(1, 0, 0));
}

#[test]
fn rules_that_say_the_same_are_no_plan_and_the_store_is_not_read() {
    let old = rules(3, LOOKED);
    let given = Given { old: Some(&old), new: &old, settings: Settings::default(), now: SEEN };
    let plan = Plan::make(given, |_| Err("read"), |_, _| {}).unwrap();
    assert!(plan.is_empty());
    assert_eq!(plan.parent, Some(hex(RulesVersion::new(3))));
    let described = rules(3, &format!("{LOOKED}describe: Looked.\n"));
    let given =
        Given { new: &described, now: SEEN, old: Some(&old), settings: Settings::default() };
    assert_eq!(Plan::make(given, |_| Err("read"), |_, _| {}), Err("read"));
}
