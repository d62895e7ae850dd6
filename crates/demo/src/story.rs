//! What is seen: a line a change, and at the end what it all came to.

use crate::people::SCRIPTED;
use crate::shop::{Act, PRODUCTS};
use crate::time::ShopTime;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tzeva_audience::RuleSet;
use tzeva_model::UnixMillis;
use tzeva_terminal::ink::{Ink, Tint};

/// A change as it was published.
#[derive(Debug, Deserialize)]
pub struct Seen {
    audience: String,
    visitor: String,
    change: String,
    effective_at: String,
    reason: Why,
}

#[derive(Debug, Deserialize)]
struct Why {
    kind: String,
    leaf: String,
    text: String,
    cause: Option<Cause>,
    evidence: Vec<Evidence>,
}

#[derive(Debug, Deserialize)]
struct Cause {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Evidence {
    event: String,
    product: Option<String>,
}

/// What moved somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    EntryByEvent,
    ExitByPurchase,
    ExitByFading,
    EntryByTime,
    ExitByTime,
    /// An exit by an event that is no purchase.
    Other,
}

/// All that was seen so far.
pub struct Story {
    time: ShopTime,
    ink: Ink,
    changes: u64,
    kinds: BTreeMap<Kind, String>,
    audiences: BTreeMap<String, Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    entered: u64,
    left: u64,
    kinds: BTreeMap<Kind, u64>,
}

/// Characters of the longest name of an audience, and of a visitor.
const NAMES: (usize, usize) = (14, 6);

// === impl Kind ===

impl Kind {
    /// Every kind that a demonstration has to show.
    pub(crate) const SHOWN: [Self; 5] = [
        Self::EntryByEvent,
        Self::ExitByPurchase,
        Self::ExitByFading,
        Self::EntryByTime,
        Self::ExitByTime,
    ];

    const fn words(self) -> &'static str {
        match self {
            Self::EntryByEvent => "an entry by an event",
            Self::ExitByPurchase => "an exit by a purchase",
            Self::ExitByFading => "an exit by fading interest",
            Self::EntryByTime => "an entry by time alone",
            Self::ExitByTime => "an exit by time alone",
            Self::Other => "an exit by another event",
        }
    }

    const fn short(self) -> &'static str {
        match self {
            Self::EntryByEvent | Self::Other => "event",
            Self::ExitByPurchase => "purchase",
            Self::ExitByFading => "interest faded",
            Self::EntryByTime | Self::ExitByTime => "time alone",
        }
    }
}

// === impl Seen ===

impl Seen {
    fn entered(&self) -> bool {
        self.change == "entered"
    }

    fn kind(&self) -> Kind {
        let by_event = self.reason.kind == "event";
        let bought = self.reason.cause.as_ref().is_some_and(|c| c.name == "order_completed");
        match (self.entered(), by_event) {
            (true, true) => Kind::EntryByEvent,
            (true, false) => Kind::EntryByTime,
            (false, true) if bought => Kind::ExitByPurchase,
            (false, true) => Kind::Other,
            (false, false) if self.reason.leaf.ends_with(".interest") => Kind::ExitByFading,
            (false, false) => Kind::ExitByTime,
        }
    }

    /// The instant at which it takes effect.
    pub fn at(&self) -> Option<UnixMillis> {
        let at: jiff::Timestamp = self.effective_at.parse().ok()?;
        Some(UnixMillis::new(at.as_millisecond()))
    }

    /// The product that it is about, by the name the shop gives it.
    fn product(&self) -> Option<&'static str> {
        // An order tells only its first product, which may be none of those that painted the tag.
        let telling = |stroke: &&Evidence| {
            stroke.event != "order_completed" || !self.reason.leaf.ends_with(".interest")
        };
        let mut strokes = self.reason.evidence.iter().filter(telling);
        let id = strokes.find_map(|stroke| stroke.product.as_deref())?;
        PRODUCTS.iter().find(|product| product.id == id).map(|product| product.name)
    }
}

// === impl Story ===

impl Story {
    pub fn new(time: ShopTime, ink: Ink) -> Self {
        Self { time, ink, changes: 0, kinds: BTreeMap::new(), audiences: BTreeMap::new() }
    }

    /// What is about to be seen.
    pub fn opening(&self, rules: &RuleSet, speed: u32) -> Vec<String> {
        let ink = self.ink;
        let mut lines = vec![
            ink.tint(Tint::Bold, "A small shop, forty people, and its audiences"),
            format!(
                "The real painter works on a folder that goes when it ends. Its clock runs {speed} times as fast as yours: \
                 a second is {}.",
                self.time.in_shop(Duration::from_secs(1)),
            ),
            String::new(),
        ];
        let width = NAMES.0 + 2;
        for audience in &rules.audiences {
            let name = ink.tint(Tint::Cyan, format!("{:width$}", audience.name.text()));
            lines.push(format!("  {name}{}", audience.describe.as_deref().unwrap_or_default()));
        }
        lines.push(String::new());
        let [anna, ben, clara] = SCRIPTED;
        lines.push(ink.tint(
            Tint::Dim,
            format!("What {anna}, {ben} and {clara} do is shown as well; of the others only what comes of it."),
        ));
        lines.push(String::new());
        lines
    }

    /// What one of the scripted does.
    pub fn act(&self, act: &Act, at: UnixMillis) -> Option<String> {
        SCRIPTED.contains(&act.who).then(|| {
            let (clock, width) = (self.time.clock(at), NAMES.1);
            self.ink.tint(Tint::Dim, format!("{clock}    {:width$} {}", act.who, act.words()))
        })
    }

    /// Takes in a change, and says it in a line.
    pub fn change(&mut self, seen: &Seen) -> String {
        let ink = self.ink;
        let kind = seen.kind();
        self.changes += 1;
        let counts = self.audiences.entry(seen.audience.clone()).or_default();
        let side = if seen.entered() { &mut counts.entered } else { &mut counts.left };
        *side += 1;
        *counts.kinds.entry(kind).or_default() += 1;
        let clock = seen.at().map_or_else(String::new, |at| self.time.clock(at));
        let (sign, tint, verb) = match seen.entered() {
            true => ("+", Tint::Green, "enters"),
            false => ("-", Tint::Red, "leaves"),
        };
        let (wide, narrow) = NAMES;
        let (who, audience) = (&seen.visitor, &seen.audience);
        let about = seen.product().map_or_else(String::new, |name| format!(" ({name})"));
        let text = &seen.reason.text;
        self.kinds
            .entry(kind)
            .or_insert_with(|| format!("{clock}  {who} {verb} {audience}: {text}{about}"));
        format!(
            "{clock}  {} {} {} {} {text}{}",
            ink.tint(tint, sign),
            ink.tint(Tint::Bold, format!("{who:narrow$}")),
            ink.tint(tint, format!("{verb} {audience:wide$}")),
            ink.tint(Tint::Yellow, format!("{:14}", kind.short())),
            ink.tint(Tint::Dim, about),
        )
    }

    /// What it all came to.
    pub fn summary(&self, events: u64, took: Duration) -> Vec<String> {
        let ink = self.ink;
        let shop = self.time.in_shop(took);
        let mut lines = vec![
            String::new(),
            ink.tint(
                Tint::Bold,
                format!(
                    "{shop} of the shop in {:.0} s: {events} events, {} changes",
                    took.as_secs_f64(),
                    self.changes,
                ),
            ),
            String::new(),
            format!(
                "  {:14}  {:>7} {:>5} {:>4}   {:>6} {:>9} {:>7} {:>6}",
                "audience", "entered", "left", "now", "event", "purchase", "faded", "time",
            ),
        ];
        for (name, counts) in &self.audiences {
            let of = |kinds: &[Kind]| -> u64 {
                kinds.iter().filter_map(|kind| counts.kinds.get(kind)).sum()
            };
            lines.push(format!(
                "  {}  {:>7} {:>5} {:>4}   {:>6} {:>9} {:>7} {:>6}",
                ink.tint(Tint::Cyan, format!("{name:14}")),
                counts.entered,
                counts.left,
                counts.entered.saturating_sub(counts.left),
                of(&[Kind::EntryByEvent, Kind::Other]),
                of(&[Kind::ExitByPurchase]),
                of(&[Kind::ExitByFading]),
                of(&[Kind::EntryByTime, Kind::ExitByTime]),
            ));
        }
        lines.extend([String::new(), ink.tint(Tint::Bold, "What you have seen")]);
        for kind in Kind::SHOWN {
            let example = self.kinds.get(&kind);
            lines.push(match example {
                Some(example) => format!("  {:26}  {example}", kind.words()),
                None => format!("  {:26}  not yet: let it run longer", kind.words()),
            });
        }
        lines.extend([
            String::new(),
            ink.tint(Tint::Bold, "Go on with"),
            "  tzeva audience check audiences/retail      what rules say, share and cost".into(),
            "  tzeva backtest --audiences data/ecom/audiences --events data/ecom/ecom.ndjson.gz"
                .into(),
            "  tzeva run --embedded --data ./tzeva-data   the service, in one folder".into(),
        ]);
        lines
    }
}
