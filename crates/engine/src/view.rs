//! A visitor's history as it is, or as it was before the event being decided.
//!
//! The second is wanted only for the reason of a transition, which is rare; so nothing is copied for it: the event's own
//! stroke is hidden and the tags that it painted are shown as they were. Only if the event let strokes go (they were too
//! old, or too many) a copy of the whole profile is looked at instead.

use tzeva_model::{NameId, TagKey};
use tzeva_profile::{Cell, Profile, Stroke, Tag};

/// A look at a history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    profile: &'a Profile,
    hidden: Option<usize>,
    tags_before: &'a [(TagKey, Option<Tag>)],
}

/// What an event did to a history, as far as is needed to look behind it.
#[derive(Debug, Default)]
pub(crate) struct Undo {
    /// The profile before; kept only if strokes or cells went.
    pub(crate) whole: Option<Box<Profile>>,
    /// Where the event's stroke lies.
    pub(crate) stroke: Option<usize>,
    /// The tags that were set or removed, as they were; the first entry of a key counts.
    pub(crate) tags: Vec<(TagKey, Option<Tag>)>,
}

// === impl View ===

impl<'a> View<'a> {
    /// The history as it is.
    pub(crate) fn now(profile: &'a Profile) -> Self {
        Self { profile, hidden: None, tags_before: &[] }
    }

    /// The history before what `undo` tells of.
    pub(crate) fn before(profile: &'a Profile, undo: &'a Undo) -> Self {
        match &undo.whole {
            Some(whole) => Self::now(whole),
            None => Self { profile, hidden: undo.stroke, tags_before: &undo.tags },
        }
    }

    /// The strokes in order, each with its place.
    pub(crate) fn strokes(self) -> impl DoubleEndedIterator<Item = (usize, &'a Stroke)> + use<'a> {
        let hidden = self.hidden;
        self.profile.strokes.iter().enumerate().filter(move |(place, _)| Some(*place) != hidden)
    }

    /// The cells of one event name and one tag.
    pub(crate) fn cells(self, event: NameId, tag: TagKey) -> &'a [Cell] {
        cells(self.profile, event, tag)
    }

    /// The tag under `key`.
    pub(crate) fn tag(self, key: TagKey) -> Option<&'a Tag> {
        match self.tags_before.iter().find(|(k, _)| *k == key) {
            Some((_, before)) => before.as_ref(),
            None => tag(self.profile, key),
        }
    }
}

// === impl Undo ===

impl Undo {
    /// Keeps a copy of `profile` unless there is one.
    pub(crate) fn keep_whole(&mut self, profile: &Profile) {
        self.whole.get_or_insert_with(|| Box::new(profile.clone()));
    }
}

/// The cells of one event name and one tag, a day each.
pub(crate) fn cells(profile: &Profile, event: NameId, tag: TagKey) -> &[Cell] {
    let low = profile.cells.partition_point(|c| (c.event, c.tag) < (event, tag));
    let rest = &profile.cells[low..];
    &rest[..rest.partition_point(|c| (c.event, c.tag) == (event, tag))]
}

/// The tag under `key`.
pub(crate) fn tag(profile: &Profile, key: TagKey) -> Option<&Tag> {
    let at = profile.tags.binary_search_by(|tag| tag.key.cmp(&key)).ok()?;
    Some(&profile.tags[at])
}
