//! A visitor's history as it is, or as it was before the event being decided.
//!
//! The second is wanted only for the reason of a transition, which is rare; so nothing is copied for it: the event's own
//! stroke is hidden and the tags that it painted are shown as they were. Only if the event let strokes go (they were too
//! old, or too many) a copy of the whole profile is looked at instead.

use smallvec::SmallVec;
use std::cell::OnceCell;
use tzeva_model::{Level, NameId, TagKey, Value};
use tzeva_profile::{Cell, Profile, State, Stroke, StrokeItem, Tag};

/// A look at a history.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    profile: &'a Profile,
    hidden: Option<usize>,
    tags_before: &'a [(TagKey, Option<Tag>)],
    traits_before: &'a [(Box<str>, Option<Value>)],
    /// Audiences that this evaluation let the visitor into or out of, each with whether they were a member.
    moved: &'a [(NameId, bool)],
}

/// What an event did to a history, as far as is needed to look behind it.
#[derive(Debug, Default)]
pub struct Undo {
    /// Where the event's stroke lies, or lay when it was inserted.
    pub stroke: Option<usize>,
    /// The tags that were set or removed, as they were; the first entry of a key counts.
    pub tags: SmallVec<[(TagKey, Option<Tag>); 8]>,
    /// The traits that were set, as they were.
    pub traits: Vec<(Box<str>, Option<Value>)>,
    /// Strokes and cells that went, and what can't be told from the profile after it; in order.
    pub gone: Vec<Gone>,
    /// The profile before; made when it is first looked at, and only if something went.
    whole: OnceCell<Box<Profile>>,
}

/// A part of history that an event let go.
#[derive(Debug)]
pub enum Gone {
    /// The stroke at this place, too old to count.
    Dropped(usize, Stroke),
    /// The stroke at this place, and the cells that it was folded into as they were before.
    Folded(usize, Stroke, Vec<(CellKey, Option<Cell>)>),
    /// The items of the stroke at this place, as they were.
    Merged(usize, SmallVec<[StrokeItem; 1]>),
    /// Cells too old to count, or too many.
    Cells(Vec<Cell>),
    /// The event's own stroke came in here.
    Inserted,
}

/// An event's name, a tag and a day.
pub type CellKey = (NameId, TagKey, i32);

// === impl View ===

impl<'a> View<'a> {
    /// The history as it is.
    #[inline]
    pub fn now(profile: &'a Profile) -> Self {
        Self { profile, hidden: None, tags_before: &[], traits_before: &[], moved: &[] }
    }

    /// The history before what `undo` tells of, with the memberships before `moved`.
    pub fn before(profile: &'a Profile, undo: &'a Undo, moved: &'a [(NameId, bool)]) -> Self {
        let (tags_before, traits_before) = (&undo.tags, &undo.traits);
        if undo.gone.is_empty() {
            return Self { profile, hidden: undo.stroke, tags_before, traits_before, moved };
        }
        let whole = undo.whole.get_or_init(|| undo.profile_before(profile));
        // Memberships are those of now, less what moved since the copy was made.
        Self { profile: whole, hidden: None, tags_before, traits_before, moved }
    }

    /// The tags before what `undo` tells of, and nothing else: no copy is made for it.
    pub fn tags_before(profile: &'a Profile, undo: &'a Undo) -> Self {
        Self { tags_before: &undo.tags, ..Self::now(profile) }
    }

    /// The strokes in order, each with its place.
    pub fn strokes(self) -> impl DoubleEndedIterator<Item = (usize, &'a Stroke)> + use<'a> {
        let hidden = self.hidden;
        self.profile.strokes.iter().enumerate().filter(move |(place, _)| Some(*place) != hidden)
    }

    /// The cells of one event name and one tag.
    #[inline]
    pub fn cells(self, event: NameId, tag: TagKey) -> &'a [Cell] {
        cells(self.profile, event, tag)
    }

    /// The tag under `key`.
    #[inline]
    pub fn tag(self, key: TagKey) -> Option<&'a Tag> {
        match self.tags_before.iter().find(|(k, _)| *k == key) {
            Some((_, before)) => before.as_ref(),
            None => tag(self.profile, key),
        }
    }

    /// The tags of a level, ascending by key.
    pub fn level(self, level: Level) -> SmallVec<[Tag; 16]> {
        let tags = &self.profile.tags;
        let from = tags.partition_point(|tag| tag.key.level < level);
        let mut found: SmallVec<[Tag; 16]> =
            tags[from..].iter().take_while(|tag| tag.key.level == level).copied().collect();
        for (place, (key, before)) in self.tags_before.iter().enumerate() {
            if key.level != level || self.tags_before[..place].iter().any(|(k, _)| k == key) {
                continue;
            }
            match (found.binary_search_by(|tag| tag.key.cmp(key)), before) {
                (Ok(at), Some(before)) => found[at] = *before,
                (Ok(at), None) => drop(found.remove(at)),
                (Err(at), Some(before)) => found.insert(at, *before),
                (Err(_), None) => {}
            }
        }
        found
    }

    /// The last known value of a trait.
    pub fn value(self, name: &str) -> Option<&'a Value> {
        if let Some((_, before)) = self.traits_before.iter().find(|(n, _)| **n == *name) {
            return before.as_ref();
        }
        let traits = &self.profile.traits;
        let at = traits.binary_search_by(|(n, ..)| (**n).cmp(name)).ok()?;
        Some(&traits[at].1)
    }

    /// Tells whether the visitor is a member of an audience.
    #[inline]
    pub fn is_member(self, audience: NameId) -> bool {
        match self.moved.iter().find(|(id, _)| *id == audience) {
            Some((_, was)) => *was,
            None => matches!(standing(self.profile, audience), Some(State::In { .. })),
        }
    }
}

/// Where the profile stands in `audience`.
#[inline]
pub fn standing(profile: &Profile, audience: NameId) -> Option<State> {
    let at = profile.standings.binary_search_by(|s| s.audience.cmp(&audience)).ok()?;
    Some(profile.standings[at].state)
}

// === impl Undo ===

impl Undo {
    /// Notes where the event's own stroke came in.
    pub fn inserted(&mut self, place: usize) {
        self.stroke = Some(place);
        if !self.gone.is_empty() {
            self.gone.push(Gone::Inserted);
        }
    }

    /// Notes that something went.
    pub fn note(&mut self, gone: Gone) {
        if self.gone.is_empty() && self.stroke.is_some() {
            self.gone.push(Gone::Inserted);
        }
        self.gone.push(gone);
    }

    /// The history before, put together backwards from the one after. Only strokes and cells are.
    fn profile_before(&self, after: &Profile) -> Box<Profile> {
        let mut profile = Box::new(Profile {
            strokes: after.strokes.clone(),
            cells: after.cells.clone(),
            tags: after.tags.clone(),
            traits: after.traits.clone(),
            standings: after.standings.clone(),
            ..Profile::default()
        });
        for gone in self.gone.iter().rev() {
            match gone {
                Gone::Dropped(place, stroke) => profile.strokes.insert(*place, stroke.clone()),
                Gone::Folded(place, stroke, cells) => {
                    profile.strokes.insert(*place, stroke.clone());
                    cells
                        .iter()
                        .for_each(|(key, before)| restore(&mut profile.cells, *key, *before));
                }
                Gone::Merged(place, items) => profile.strokes[*place].items.clone_from(items),
                Gone::Cells(cells) => {
                    profile.cells.extend(cells);
                    profile.cells.sort_unstable_by_key(cell_key);
                }
                Gone::Inserted => {
                    self.stroke.map(|place| profile.strokes.remove(place));
                }
            }
        }
        profile
    }
}

#[inline]
fn cell_key(cell: &Cell) -> CellKey {
    (cell.event, cell.tag, cell.day)
}

fn restore(cells: &mut Vec<Cell>, key: CellKey, before: Option<Cell>) {
    match (cells.binary_search_by_key(&key, cell_key), before) {
        (Ok(place), Some(cell)) => cells[place] = cell,
        (Ok(place), None) => drop(cells.remove(place)),
        (Err(place), Some(cell)) => cells.insert(place, cell),
        (Err(_), None) => {}
    }
}

/// The cell under `key`.
#[inline]
pub fn cell(profile: &Profile, key: CellKey) -> Option<Cell> {
    let place = profile.cells.binary_search_by_key(&key, cell_key).ok()?;
    Some(profile.cells[place])
}

/// The cells of one event name and one tag, a day each.
#[inline]
pub fn cells(profile: &Profile, event: NameId, tag: TagKey) -> &[Cell] {
    let low = profile.cells.partition_point(|c| (c.event, c.tag) < (event, tag));
    let rest = &profile.cells[low..];
    &rest[..rest.partition_point(|c| (c.event, c.tag) == (event, tag))]
}

/// The tag under `key`.
#[inline]
pub fn tag(profile: &Profile, key: TagKey) -> Option<&Tag> {
    let at = profile.tags.binary_search_by(|tag| tag.key.cmp(&key)).ok()?;
    Some(&profile.tags[at])
}
