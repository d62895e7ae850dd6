//! Changes: one visitor entered or exited one audience, at an instant, for a reason. Compact: names stand as ids, text
//! is rendered when a change is projected.

use crate::{EventId, NameId, UnixMillis, VisitorId};

/// One transition, as decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Who.
    pub visitor: VisitorId,
    /// The audience, `NameKind::Audience`.
    pub audience: NameId,
    /// The first 32 bits of the xxh3 of the audience's canonical text: shown as eight hex digits.
    pub audience_version: u32,
    /// In or out.
    pub direction: Direction,
    /// Engine time at the transition; per visitor it never decreases.
    pub effective_at: UnixMillis,
    /// Where the change comes from.
    pub origin: Origin,
    /// Why.
    pub reason: Reason,
}

/// Which way a visitor went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Became a member.
    Entered,
    /// Ceased to be one.
    Exited,
}

/// Where a change comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The ordinary course.
    Live,
    /// Its event came more than `late_after` behind, or behind engine time.
    Late,
    /// A replay.
    Replay,
    /// A backfill.
    Backfill,
    /// An activation of rules.
    Rules,
}

/// Why a transition happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The kind of cause.
    pub kind: ReasonKind,
    /// The place in the audience file that decided; its path, such as `enter.all[1].last`, is looked up when the change
    /// is projected.
    pub place: Place,
    /// False if the deciding leaf's truth rests on folded history.
    pub exact: bool,
    /// At most three strokes that bear it out, newest first.
    pub evidence: Vec<Evidence>,
    /// The event, if `kind` is `Event`.
    pub cause: Option<Cause>,
}

/// The place in an audience file that decided a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A leaf, counted from 0 in document order: first those of `enter`, then those of `exit_when`.
    Leaf(u16),
    /// `enter` as a whole: no single leaf flipped, as at a visitor's first evaluation.
    Enter,
    /// `exit_when` as a whole.
    ExitWhen,
    /// `enter_after` has passed.
    EnterAfter,
    /// `reenter_after` has passed.
    ReenterAfter,
    /// `stay.at_least` has passed.
    AtLeast,
    /// `stay.at_most` has passed.
    AtMost,
    /// `profile.idle` has passed: the visitor was forgotten.
    Idle,
    /// The audience itself: it was removed.
    Audience,
}

/// The kind of cause of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonKind {
    /// An event was decided.
    Event,
    /// Only time passed.
    Deadline,
    /// The rules changed.
    Rules,
    /// The audience is gone.
    AudienceRemoved,
    /// The visitor was idle for `profile.idle`, and the profile ended.
    Forgotten,
}

/// A stroke that bears a change out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The event's name.
    pub event: NameId,
    /// When it occurred.
    pub at: UnixMillis,
    /// Its product, the first one if there are several.
    pub product: Option<NameId>,
}

/// The event that caused a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// The producer's id.
    pub id: EventId,
    /// The event's name.
    pub name: NameId,
    /// What the shopper's clock said, before any clamp.
    pub time: UnixMillis,
    /// The W3C trace context that came with it.
    pub traceparent: Option<Box<str>>,
}

// === impl Direction ===

impl Direction {
    /// The word of the published form.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Exited => "exited",
        }
    }
}

// === impl Origin ===

impl Origin {
    /// The word of the published form.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Late => "late",
            Self::Replay => "replay",
            Self::Backfill => "backfill",
            Self::Rules => "rules",
        }
    }
}

// === impl ReasonKind ===

impl ReasonKind {
    /// The word of the published form.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Deadline => "deadline",
            Self::Rules => "rules",
            Self::AudienceRemoved => "audience_removed",
            Self::Forgotten => "forgotten",
        }
    }
}
