//! Paint: which events mark which levels, how strongly, and how fast it fades.

use tzeva_model::{Millis, Name, NameId};

/// How events paint.
#[derive(Clone, Debug, PartialEq)]
pub struct Paint {
    /// The half-life of each level's tags; positive.
    pub half_life: HalfLives,
    /// What each event paints, sorted by event id, no two alike.
    pub events: Vec<PaintEvent>,
    /// Tags of a level that was just painted or cleared are forgotten below this score; 0: never.
    pub forget_below: f64,
    /// How much less the depths above a category's leaf get.
    pub falloff: Falloff,
}

/// A half-life a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfLives {
    /// Of the shop's tag.
    pub shop: Millis,
    /// Of brands.
    pub brand: Millis,
    /// Of categories of every depth.
    pub category: Millis,
    /// Of products.
    pub product: Millis,
}

/// What one event paints.
#[derive(Clone, Debug, PartialEq)]
pub struct PaintEvent {
    /// The event.
    pub event: NameId,
    /// What it does to the shop's tag.
    pub shop: Option<Dose>,
    /// What it does to the tags of its brands.
    pub brand: Option<Dose>,
    /// What it does to the tags of its category paths, each depth.
    pub category: Option<Dose>,
    /// What it does to the tags of its products.
    pub product: Option<Dose>,
}

/// What an event does to a tag it carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Dose {
    /// Adds this weight; positive and finite.
    Add(f64),
    /// Removes the tag.
    Clear,
}

/// Weights of a category's upper depths: the leaf gets the whole weight, each depth above it `category` times that of the
/// one below. An event whose items reach a depth over several leaves paints it once, with the greatest of the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Falloff {
    /// 1 by default; in (0, 1].
    pub category: f64,
}

// === impl Paint ===

impl Default for Paint {
    /// The paint of the language's example: half-lives of 30, 30, 14 and 7 days, and the four events of a shop.
    fn default() -> Self {
        let add = |weight| Some(Dose::Add(weight));
        let event = |name: &str, shop, brand, category, product| PaintEvent {
            event: Name::event(name).id(),
            shop,
            brand,
            category,
            product,
        };
        let mut events = vec![
            event("page_viewed", add(1.0), None, None, None),
            event("product_viewed", add(1.0), add(1.0), add(1.0), add(1.0)),
            event("product_added", add(2.0), add(2.0), add(3.0), add(5.0)),
            event("order_completed", add(5.0), add(5.0), add(4.0), Some(Dose::Clear)),
        ];
        events.sort_by_key(|event| event.event);
        Self {
            half_life: HalfLives {
                shop: Millis::DAY.times(30),
                brand: Millis::DAY.times(30),
                category: Millis::DAY.times(14),
                product: Millis::DAY.times(7),
            },
            events,
            forget_below: 0.05,
            falloff: Falloff { category: 1.0 },
        }
    }
}
