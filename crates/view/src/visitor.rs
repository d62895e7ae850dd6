//! A visitor: tags, memberships, what it waits for, recent events.

use serde::{Deserialize, Serialize};
use tzeva_audience::HalfLives;
use tzeva_model::{Level, Millis, NameId, UnixMillis, VisitorId};
use tzeva_profile::{Profile, State, Stroke, StrokeItem, Tag, decay};

/// What a view is made with.
pub struct Viewing<'a> {
    /// Text of an id.
    pub names: &'a dyn Fn(NameId) -> String,
    /// How interest fades.
    pub half_lives: HalfLives,
    /// The wall clock.
    pub now: UnixMillis,
}

/// A visitor.
#[derive(Debug, Serialize, Deserialize)]
pub struct VisitorView {
    /// The visitor id.
    pub visitor: String,
    /// When the last record was applied.
    pub seen: String,
    /// Nothing changes by itself before this.
    pub next_deadline: Option<String>,
    /// History before this is summed up, not exact.
    pub exact_since: Option<String>,
    /// Audiences the visitor is in.
    pub memberships: Vec<MembershipView>,
    /// Audiences that remember the visitor without having it.
    pub waiting: Vec<WaitingView>,
    /// Interest, the strongest first.
    pub tags: Vec<TagView>,
    /// The latest events, newest first.
    pub strokes: Vec<StrokeView>,
}

/// An audience the visitor is in.
#[derive(Debug, Serialize, Deserialize)]
pub struct MembershipView {
    /// The name of the audience.
    pub audience: String,
    /// Since when, if that is known.
    pub since: String,
}

/// An audience that remembers the visitor without having it.
#[derive(Debug, Serialize, Deserialize)]
pub struct WaitingView {
    /// The name of the audience.
    pub audience: String,
    /// Since when the entry condition holds.
    pub pending_since: Option<String>,
    /// When the last stay ended.
    pub last_exit: Option<String>,
    /// The condition must cease before a new entry.
    pub disarmed: bool,
}

/// A tag.
#[derive(Debug, Serialize, Deserialize)]
pub struct TagView {
    /// `shop`, `brand`, `category` and its depth, or `product`.
    pub level: String,
    /// The name of the tag.
    pub name: String,
    /// Now.
    pub score: f64,
    /// As it was painted.
    pub painted: f32,
    /// When it was painted last.
    pub painted_at: String,
}

/// An event.
#[derive(Debug, Serialize, Deserialize)]
pub struct StrokeView {
    /// When.
    pub at: String,
    /// The name of the event.
    pub event: String,
    /// What it was about.
    pub items: Vec<ItemView>,
}

/// An item of an event.
#[derive(Debug, Serialize, Deserialize)]
pub struct ItemView {
    /// The product, of several the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The brand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The category path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The price, as a decimal text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// How many pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
}

/// Strokes shown, of as many as are kept.
const STROKES: usize = 20;

// === impl Viewing ===

impl Viewing<'_> {
    /// The view of a profile.
    pub fn visitor(&self, id: &VisitorId, profile: &Profile) -> VisitorView {
        let mut view = VisitorView {
            visitor: id.as_str().into(),
            seen: profile.seen.to_string(),
            next_deadline: profile.deadline.map(|at| at.to_string()),
            exact_since: profile.exact_since.map(|at| at.to_string()),
            memberships: Vec::new(),
            waiting: Vec::new(),
            tags: profile.tags.iter().map(|tag| self.tag(tag)).collect(),
            strokes: profile.strokes.iter().rev().take(STROKES).map(|s| self.stroke(s)).collect(),
        };
        view.tags.sort_by(|a, b| b.score.total_cmp(&a.score));
        for standing in &profile.standings {
            let audience = (self.names)(standing.audience);
            match standing.state {
                State::In { since } => {
                    let since = since.to_string();
                    view.memberships.push(MembershipView { audience, since });
                }
                State::Out { last_exit, disarmed, pending } => view.waiting.push(WaitingView {
                    audience,
                    pending_since: pending.map(|at| at.to_string()),
                    last_exit: last_exit.map(|at| at.to_string()),
                    disarmed,
                }),
            }
        }
        view
    }

    fn tag(&self, tag: &Tag) -> TagView {
        let half_life = self.half_life(tag.key.level);
        let now = self.now.max(tag.at);
        TagView {
            level: match tag.key.level {
                Level::Shop => "shop".into(),
                Level::Brand => "brand".into(),
                Level::Category(depth) => format!("category {depth}"),
                Level::Product => "product".into(),
            },
            name: match tag.key.level {
                Level::Shop => String::new(),
                _ => (self.names)(tag.key.id),
            },
            score: decay::faded(tag.score, tag.at, half_life, now),
            painted: tag.score,
            painted_at: tag.at.to_string(),
        }
    }

    const fn half_life(&self, level: Level) -> Millis {
        match level {
            Level::Shop => self.half_lives.shop,
            Level::Brand => self.half_lives.brand,
            Level::Category(_) => self.half_lives.category,
            Level::Product => self.half_lives.product,
        }
    }

    fn stroke(&self, stroke: &Stroke) -> StrokeView {
        StrokeView {
            at: stroke.at.to_string(),
            event: (self.names)(stroke.event),
            items: stroke.items.iter().map(|item| self.item(item)).collect(),
        }
    }

    fn item(&self, item: &StrokeItem) -> ItemView {
        ItemView {
            product: item.product.map(self.names),
            brand: item.brand.map(self.names),
            category: item.category.last().copied().map(self.names),
            price: item.price.map(|price| price.to_string()),
            quantity: item.quantity,
        }
    }
}
