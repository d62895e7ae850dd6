//! Paint: which events mark which levels, how strongly, and how fast it fades.

use tzeva_model::{Millis, NameId};

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
