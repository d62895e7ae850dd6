//! Standings: where a visitor stands in an audience, with what its policy has to remember.

use tzeva_model::{NameId, UnixMillis};

/// A visitor's standing in one audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The audience.
    pub audience: NameId,
    /// In or out.
    pub state: State,
}

/// In or out, in engine time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A member.
    In {
        /// Since when.
        since: UnixMillis,
    },
    /// Not a member, with something to remember (else there is no standing).
    Out {
        /// The last exit, kept while `reenter_after` may ask for it.
        last_exit: Option<UnixMillis>,
        /// Left by `stay.at_most`: the entry condition must cease once before the next entry.
        disarmed: bool,
        /// The start of the unbroken stretch in which entry is waited for.
        pending: Option<UnixMillis>,
    },
}
