//! The paint document.

use crate::check::{Checker, Shape, ZeroOk, head, shortened};
use crate::code::Code;
use crate::condition::decimal;
use crate::tree::{Kind, Tree};
use crate::{Dose, Falloff, HalfLives, Paint, PaintEvent};
use tzeva_model::{Level, Millis};

pub(crate) const DOCUMENT: Shape = Shape { noun: "a paint document", keys: &["paint"], later: &[] };
pub(crate) const PAINT: Shape = Shape {
    noun: "`paint`",
    keys: &["half_life", "events", "forget_below", "falloff"],
    later: &[],
};
const LEVELS: [&str; 4] = ["shop", "brand", "category", "product"];
pub(crate) const HALF_LIFE: Shape = Shape { noun: "`half_life`", keys: &LEVELS, later: &[] };
pub(crate) const DOSES: Shape = Shape { noun: "the paint of an event", keys: &LEVELS, later: &[] };
pub(crate) const FALLOFF: Shape = Shape { noun: "`falloff`", keys: &["category"], later: &[] };

/// The default of `forget_below`.
pub(crate) const FORGET_BELOW: f64 = 0.05;
/// The greatest weight: sums of them stay far within f32.
pub(crate) const MAX_WEIGHT: f64 = 1e9;

// === impl Paint ===

impl Paint {
    /// Tells whether some event paints tags of this level.
    #[must_use]
    pub fn paints(&self, level: Level) -> bool {
        let adds = |dose: Option<Dose>| matches!(dose, Some(Dose::Add(_)));
        self.events.iter().any(|event| match level {
            Level::Shop => adds(event.shop),
            Level::Brand => adds(event.brand),
            Level::Category(_) => adds(event.category),
            Level::Product => adds(event.product),
        })
    }
}

// === impl Checker ===

impl Checker<'_> {
    /// Reads a paint document.
    pub(crate) fn paint(&mut self, tree: &Tree) -> Option<Paint> {
        let document = self.entries(tree, &DOCUMENT)?;
        let entries = self.entries(document.get("paint")?, &PAINT)?;
        let half_life = self.required(&entries, "half_life", "`paint`");
        let half_life = half_life.and_then(|tree| self.half_lives(tree));
        let events = self.required(&entries, "events", "`paint`");
        let events = events.and_then(|tree| self.paint_events(tree));
        let forget_below = match entries.get("forget_below") {
            Some(tree) => self.forget_below(tree),
            None => Some(FORGET_BELOW),
        };
        let falloff = match entries.get("falloff") {
            Some(tree) => self.falloff(tree),
            None => Some(Falloff { category: 1.0 }),
        };
        Some(Paint {
            half_life: half_life?,
            events: events?,
            forget_below: forget_below?,
            falloff: falloff?,
        })
    }

    fn half_lives(&mut self, tree: &Tree) -> Option<HalfLives> {
        let entries = self.entries(tree, &HALF_LIFE)?;
        let [shop, brand, category, product] = LEVELS.map(|level| {
            let tree = self.required(&entries, level, "`half_life`")?;
            self.duration(tree, &format!("the half-life of `{level}`"), ZeroOk::No)
        });
        let (shop, brand): (Millis, Millis) = (shop?, brand?);
        Some(HalfLives { shop, brand, category: category?, product: product? })
    }

    fn paint_events(&mut self, tree: &Tree) -> Option<Vec<PaintEvent>> {
        let Kind::Map(pairs) = &tree.kind else {
            self.wrong_shape(tree, "a mapping of events to what they paint");
            return None;
        };
        let mut events: Vec<PaintEvent> = Vec::with_capacity(pairs.len());
        let mut ids = std::collections::BTreeSet::new();
        let mut whole = true;
        for (key, value) in pairs {
            let name = self.text(key, "the name of an event");
            let name = name.and_then(|text| self.event_name(text, key.at));
            let doses = self.doses(value);
            let (Some(name), Some(mut event)) = (name, doses) else {
                whole = false;
                continue;
            };
            event.event = name.id();
            if !ids.insert(name.id()) {
                let message = format!("`{}` is painted twice", name.text());
                self.refuse(
                    Code::DuplicateKey,
                    key.at,
                    message,
                    "names are folded to snake case first",
                );
            }
            events.push(event);
        }
        events.sort_by_key(|event| event.event);
        whole.then_some(events)
    }

    /// What one event paints; its id is the caller's to set.
    fn doses(&mut self, tree: &Tree) -> Option<PaintEvent> {
        let entries = self.entries(tree, &DOSES)?;
        let [shop, brand, category, product] = LEVELS.map(|level| match entries.get(level) {
            Some(tree) => self.dose(tree).map(Some),
            None => Some(None),
        });
        let event = tzeva_model::NameId::new(0);
        let (shop, brand): (Option<Dose>, Option<Dose>) = (shop?, brand?);
        Some(PaintEvent { event, shop, brand, category: category?, product: product? })
    }

    fn dose(&mut self, tree: &Tree) -> Option<Dose> {
        let text = self.text(tree, "a weight or `clear`")?;
        if text == "clear" {
            return Some(Dose::Clear);
        }
        match decimal(text).filter(|weight| *weight > 0.0 && *weight <= MAX_WEIGHT) {
            Some(weight) => Some(Dose::Add(weight)),
            None => {
                let message = format!("`{}` is no weight", shortened(text));
                let help =
                    "a weight is a number above 0, up to 1000000000; `clear` removes the tag";
                self.refuse(Code::BadWeight, tree.at, message, help);
                None
            }
        }
    }

    fn forget_below(&mut self, tree: &Tree) -> Option<f64> {
        let text = self.text(tree, "a number")?;
        let value = decimal(text).filter(|value| *value >= 0.0 && *value <= MAX_WEIGHT);
        if value.is_none() {
            let message = format!("`{}` is no score to forget tags below", shortened(text));
            self.refuse(
                Code::BadForgetBelow,
                tree.at,
                message,
                "write a number such as 0.05; 0 forgets nothing",
            );
        }
        value
    }

    fn falloff(&mut self, tree: &Tree) -> Option<Falloff> {
        let entries = self.entries(tree, &FALLOFF)?;
        let Some(tree) = entries.get("category") else { return Some(Falloff { category: 1.0 }) };
        let text = self.text(tree, "a number")?;
        match decimal(text).filter(|value| *value > 0.0 && *value <= 1.0) {
            Some(category) => Some(Falloff { category }),
            None => {
                let message = format!("`{}` is no falloff", shortened(text));
                let help =
                    "each depth up gets this part of the one below: a number above 0, up to 1";
                self.refuse(Code::BadFalloff, head(tree), message, help);
                None
            }
        }
    }

    /// Holds the tags that rules ask for against the paint.
    pub(crate) fn check_tags(&mut self, paint: &Paint) {
        for asked in std::mem::take(&mut self.asked_tags) {
            if !paint.paints(asked.level) {
                let message = format!("no event paints tags such as `{}`", asked.text);
                self.refuse(
                    Code::UnpaintedTag,
                    asked.tag_at,
                    message,
                    "give an event in the paint document a weight for this level",
                );
            }
            if let Some((threshold, at)) = asked.threshold
                && threshold < paint.forget_below
            {
                let message = format!(
                    "a threshold of {threshold} is below {}, where tags are forgotten",
                    paint.forget_below
                );
                self.refuse(
                    Code::ThresholdBelowForget,
                    at,
                    message,
                    "raise it, or lower `forget_below` in the paint",
                );
            }
        }
    }
}
