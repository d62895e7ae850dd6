//! How large a stored profile is, and by how much an event can make it grow at most.
//!
//! Measuring takes as long as encoding, so it is done rarely: a profile far below the limit is known to fit.

use crate::pen::Visitor;
use tzeva_model::{Event, Seq, Value};
use tzeva_profile::{Profile, stored};

/// More than the stored form of a stroke's or a tag's fixed parts takes.
const FIXED: usize = 96;
/// More than a standing takes.
const STANDING: usize = 48;
/// Room to keep free of estimates. Ids are pointed to by number, and one more id can make the numbers of all others a
/// byte longer; and no event is expected to move a visitor in or out of more than 256 audiences.
pub(crate) const SLACK: usize = 32 * 1024 + 256 * STANDING;

/// The size of the stored form, whatever the seq it will carry.
pub(crate) fn measure(profile: &mut Profile) -> usize {
    let seq = std::mem::replace(&mut profile.seq, Seq::new(u64::MAX));
    let bytes = stored::encode(profile).len();
    profile.seq = seq;
    bytes
}

/// More bytes than `event` adds to a stored profile, memberships and what `SLACK` is for left aside.
pub(crate) fn growth(event: &Event) -> usize {
    let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len() + 16);
    let value = |(name, value): &(Box<str>, Value)| {
        let value = if let Value::Text(text) = value { text.len() } else { 16 };
        name.len() + value + 32
    };
    let items = event.items.iter().map(|item| {
        let depths = item.category.as_ref().map_or(0, |category| category.depths().len());
        // As part of the stroke, as tags, and once more as cells if it folds at once.
        FIXED * (1 + 2 * (depths + 2))
    });
    let texts = [&event.coupon, &event.channel, &event.country, &event.page_path];
    3 * FIXED
        + items.sum::<usize>()
        + texts.into_iter().map(text).sum::<usize>()
        + event.properties.iter().chain(&event.traits).map(value).sum::<usize>()
}

// === impl Visitor ===

impl Visitor {
    /// Takes note that the stored form grew by at most `bytes`, and by the standings that there were not before.
    pub(crate) fn grew(&mut self, bytes: usize, standings_before: usize) {
        let standings = self.profile.standings.len().saturating_sub(standings_before);
        self.room = self.room.saturating_sub(bytes + STANDING * standings);
        self.measured = false;
    }
}
