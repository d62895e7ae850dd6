//! A visitor as people see it: names instead of ids, scores as they are now, the newest first.

use jiff::Timestamp;
use serde::Serialize;
use tzeva_audience::HalfLives;
use tzeva_model::{Level, Millis, NameId, UnixMillis, VisitorId};
use tzeva_painter::NameTable;
use tzeva_profile::{Profile, State, Stroke, StrokeItem, Tag, decay};

/// What a view is made with.
pub(crate) struct Viewing<'a> {
    pub(crate) names: &'a dyn Fn(NameId) -> String,
    pub(crate) half_lives: HalfLives,
    pub(crate) now: UnixMillis,
}

/// A visitor.
#[derive(Debug, Serialize)]
pub(crate) struct VisitorView {
    pub(crate) visitor: String,
    /// When the last record was applied.
    pub(crate) seen: String,
    /// Nothing changes by itself before this.
    pub(crate) next_deadline: Option<String>,
    /// History before this is summed up, not exact.
    pub(crate) exact_since: Option<String>,
    pub(crate) memberships: Vec<MembershipView>,
    pub(crate) waiting: Vec<WaitingView>,
    pub(crate) tags: Vec<TagView>,
    pub(crate) strokes: Vec<StrokeView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct MembershipView {
    pub(crate) audience: String,
    pub(crate) since: String,
}

/// An audience that remembers the visitor without having it.
#[derive(Debug, Serialize)]
pub(crate) struct WaitingView {
    pub(crate) audience: String,
    pub(crate) pending_since: Option<String>,
    pub(crate) last_exit: Option<String>,
    pub(crate) disarmed: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct TagView {
    pub(crate) level: String,
    pub(crate) name: String,
    /// Now.
    pub(crate) score: f64,
    /// As it was painted.
    pub(crate) painted: f32,
    pub(crate) painted_at: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct StrokeView {
    pub(crate) at: String,
    pub(crate) event: String,
    pub(crate) items: Vec<ItemView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ItemView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quantity: Option<u32>,
}

/// Strokes shown, of as many as are kept.
const STROKES: usize = 20;

// === impl Viewing ===

impl Viewing<'_> {
    /// The view of a profile.
    pub(crate) fn visitor(&self, id: &VisitorId, profile: &Profile) -> VisitorView {
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

/// The name of an id in a table, or the id itself.
pub(crate) fn named(names: &NameTable, id: NameId) -> String {
    names.get(&id).map_or_else(|| id.to_string(), ToString::to_string)
}

/// The wall clock.
pub(crate) fn now() -> UnixMillis {
    UnixMillis::new(Timestamp::now().as_millisecond())
}
