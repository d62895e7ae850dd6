//! What becomes of a batch.

use super::*;
use crate::merge::{Cut, CutRecord};
use crate::names::SharedNames;
use std::sync::Arc;
use tzeva_audience::{Falloff, HalfLives, Paint, RuleSet};
use tzeva_commit::port::SourceRecord;
use tzeva_engine::Settings;
use tzeva_model::{
    Event, EventId, Millis, Name, NameKind, RulesVersion, SourceOffset, TopicIndex, VisitorId,
};

fn event(page_path: &str) -> Event {
    Event {
        visitor: VisitorId::try_new("v").unwrap(),
        id: EventId::new("e"),
        name: Name::new(NameKind::Event, "page_viewed"),
        occurred_at: UnixMillis::new(0),
        items: Vec::new(),
        revenue: None,
        currency: None,
        coupon: None,
        channel: None,
        country: None,
        page_path: Some(page_path.into()),
        properties: Vec::new(),
        traceparent: None,
        traits: Vec::new(),
    }
}

/// What an engine without audiences, whose profiles may have 1,000 bytes, makes of one event.
fn decided(event: Event) -> Decided {
    let (offset, time) = (SourceOffset::new(0), UnixMillis::new(0));
    let record = SourceRecord { offset, time, key: None, value: Vec::new(), headers: Vec::new() };
    let cut = CutRecord { topic: TopicIndex::new(0), time, record };
    let mut batch = Batch::new(Cut { records: vec![cut], ranges: Vec::new() });
    batch.decoded(Ok(event));
    let day = Millis::DAY;
    let half_life = HalfLives { shop: day, brand: day, category: day, product: day };
    let falloff = Falloff { category: 0.5 };
    let paint = Paint { half_life, events: Vec::new(), forget_below: 0.05, falloff };
    let rules = RuleSet { version: RulesVersion::new(1), audiences: Vec::new(), paint };
    let settings = Settings { max_profile_bytes: 1_000, ..Settings::default() };
    let mut engine = Engine::new(Arc::new(rules), settings, time);
    let mut names = Catalogue::new(SharedNames::default(), 1_000);
    decide(&mut batch, time, &mut engine, &mut names)
}

#[test]
fn a_refused_event_leaves_a_dead_letter_and_no_name() {
    let small = decided(event("/"));
    assert_eq!((small.painted, small.names.len(), small.dead_letters.len()), (1, 1, 0));
    let large = decided(event(&"/".repeat(2_000)));
    assert_eq!((large.painted, large.names.len(), large.dead_letters.len()), (0, 0, 1));
    assert!(large.draft.is_empty());
}
