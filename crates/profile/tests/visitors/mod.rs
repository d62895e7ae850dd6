//! Visitors with 20 events in the manner of the benchmark's workload, painted by the rule files' example, with
//! memberships: what sizes and times are measured on.

#![allow(clippy::cast_possible_truncation, reason = "draws of known ranges; scores are f32")]

use std::sync::Arc;
use tzeva_model::{Amount, Level, Millis, NameId, NameKind, RulesVersion, Seq, TagKey, UnixMillis};
use tzeva_profile::{Extra, Op, Profile, Standing, State, Stroke, StrokeItem, Tag, decay};

const EVENTS: usize = 20;

struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A whole number of ms, exponentially distributed.
    fn wait(&mut self, mean: f64) -> Millis {
        Millis::new((-(1.0 - self.unit()).ln() * mean) as i64)
    }

    /// 0 is the most frequent of `count`, by Zipf with exponent 0.9 (approximated by its continuous form).
    fn zipf(&mut self, count: u64) -> u64 {
        let top = (count as f64 + 1.0).powf(0.1);
        (((1.0 + self.unit() * (top - 1.0)).powf(10.0) - 1.0) as u64).min(count - 1)
    }
}

fn id(kind: NameKind, name: &str) -> NameId {
    NameId::of(kind, name)
}

/// A product of the leaf category `leaf`: 20 brands, 300 and 3,000 categories, 100,000 products.
fn item(leaf: u64, nth: u64) -> StrokeItem {
    let product = nth * 3_000 + leaf;
    let middle = leaf % 300;
    let price = 499 + product * 7_919 % 480 * 100;
    StrokeItem {
        product: Some(id(NameKind::Product, &format!("sku-{product}"))),
        brand: Some(id(NameKind::Brand, &format!("brand-{}", middle % 20))),
        category: [format!("c{middle}"), format!("c{middle}/l{leaf}")]
            .map(|path| id(NameKind::Category, &path))
            .into_iter()
            .collect(),
        price: Some(Amount::new(price.cast_signed() * 100)),
        quantity: Some(1),
        merged: None,
    }
}

fn paint(profile: &mut Profile, key: TagKey, at: UnixMillis, weight: f64, half_life: Millis) {
    let score = match profile.tags.binary_search_by_key(&key, |tag| tag.key) {
        Ok(place) => {
            let tag = profile.tags[place];
            (decay::faded(tag.score, tag.at, half_life, at) + weight) as f32
        }
        Err(_) => weight as f32,
    };
    profile.apply(&Op::Tag(Tag { key, score, at }));
}

pub(crate) fn visitor(seed: u64) -> Profile {
    let mut draws = Draws(seed << 20);
    let mut profile = Profile::default();
    let mut at = UnixMillis::new(1_790_000_000_000) + draws.wait(3e9);
    let mut interests: Vec<(u64, u64)> = Vec::new();
    let mut in_visit = 0;
    let mut last: Option<StrokeItem> = None;
    while profile.strokes.len() < EVENTS {
        if in_visit == 0 {
            in_visit = 1 + (-(1.0 - draws.unit()).ln() * 7.5) as usize;
            at = at + draws.wait(2.0 * 86_400_000.0);
            if interests.is_empty() {
                let count = 2 + draws.below(2);
                interests = (0..count).map(|_| (draws.zipf(3_000), draws.zipf(33))).collect();
            }
        }
        in_visit -= 1;
        at = at + draws.wait(40_000.0);
        let (kind, dice) = (draws.unit(), draws.unit());
        // Who adds or buys does so with what they looked at last.
        let item = match last.clone() {
            Some(item) if kind >= 0.85 && dice < 0.8 => item,
            _ => {
                let place = draws.below(interests.len() as u64) as usize;
                let (leaf, anchor) = interests[place];
                let nth = if draws.unit() < 0.5 { anchor } else { draws.zipf(33) };
                item(leaf, nth)
            }
        };
        let event = match kind {
            k if k < 0.85 => "product_viewed",
            k if k < 0.95 => "product_added",
            _ => "order_completed",
        };
        last = Some(item.clone());
        add(&mut profile, &item, event, at, draws.next() as u32);
    }
    finish(&mut profile, &mut draws, at);
    profile
}

fn add(profile: &mut Profile, item: &StrokeItem, event: &str, at: UnixMillis, id_bits: u32) {
    let revenue = item.amount().filter(|_| event == "order_completed");
    let currency = tzeva_model::Currency::try_new("EUR");
    let extra =
        || Extra { channel: Some("web".into()), country: Some("DE".into()), ..Extra::default() };
    // Strokes that have the same share it, as they do in the engine.
    let shared = profile.strokes.last().and_then(|stroke| stroke.extra.clone());
    profile.apply(&Op::Stroke(Stroke {
        at,
        event: id(NameKind::Event, event),
        id_bits,
        items: [item.clone()].into_iter().collect(),
        revenue,
        currency,
        extra: Some(shared.unwrap_or_else(|| Arc::new(extra()))),
    }));
    let shop = TagKey { level: Level::Shop, id: id(NameKind::Shop, "") };
    for key in item.tag_keys().chain([shop]) {
        let half_life = match key.level {
            Level::Shop | Level::Brand => Millis::DAY.times(30),
            Level::Category(_) => Millis::DAY.times(14),
            Level::Product => Millis::DAY.times(7),
        };
        let weight = match (event, key.level) {
            ("product_viewed", _) => 1.0,
            ("product_added", Level::Category(_)) => 3.0,
            ("product_added", Level::Product) => 5.0,
            ("product_added", _) => 2.0,
            (_, Level::Category(_)) => 4.0,
            (_, Level::Product) => {
                profile.apply(&Op::Untag(key));
                continue;
            }
            _ => 5.0,
        };
        paint(profile, key, at, weight, half_life);
    }
}

fn finish(profile: &mut Profile, draws: &mut Draws, at: UnixMillis) {
    let seen = at + draws.wait(300.0);
    profile.apply(&Op::Seen(seen));
    profile.apply(&Op::Stamp(RulesVersion::new(draws.next())));
    profile.apply(&Op::Deadline(Some(seen + draws.wait(2.0 * 86_400_000.0))));
    for _ in 0..2 + draws.below(3) {
        let audience = NameId::new(draws.next());
        let back = draws.wait(86_400_000.0);
        let state = match draws.below(5) {
            0 => State::Out { last_exit: Some(seen - back), disarmed: false, pending: None },
            _ => State::In { since: seen - back },
        };
        profile.apply(&Op::Stand(Standing { audience, state }));
    }
    profile.seq = Seq::new(1_000_000 + draws.below(1_000_000));
}
