//! Tags: as half a byte beside the entry they stand for, or in full.
//!
//! An entry of the tables (brand, category node, form of a product; the shop) is *marked* with the score of its tag if
//! that tag was last painted at the instant of the last stroke that carries it. Every other tag is *loose*: written in
//! full after the strokes.

use super::tables::{Carried, Place, Tables};
use crate::bytes::{Corrupt, Input, flag, is_short, put_count, put_fixed, put_score, put_span};
use crate::known::Ids;
use crate::{Profile, Tag};
use smallvec::SmallVec;
use tzeva_model::{Level, TagKey};

/// A score's half byte: 0 no tag; 1 to 7 one of the shared scores; 8 a score follows; 9 to 15 a score from 2^-1 to 2^6
/// follows as the 23 bits behind its leading one, the half byte telling the power of two.
const SPELLED: u8 = 8;
const LOWEST: u8 = 9;
/// So many scores can be pointed to.
pub(super) const MOST_SHARED: usize = 7;
/// So many tags are searched one by one.
const FEW: usize = 48;
/// The exponent field of an f32 whose half byte is [`LOWEST`].
const LOWEST_EXPONENT: u32 = 126;

/// The marks of a profile about to be written.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// A score for each entry, in the order of `Tables::places`.
    marks: Vec<Option<f32>>,
    /// Scores that several marks share.
    pub(super) shared: SmallVec<[f32; MOST_SHARED]>,
    /// The tags that no entry is marked with, as places in `Profile::tags`.
    pub(super) loose: Vec<usize>,
}

// === impl Marks ===

impl Marks {
    pub(super) fn of(profile: &Profile, tables: &Tables, carried: &Carried) -> Self {
        let mut used = vec![false; profile.tags.len()];
        let mut mark = |place| {
            let found = find(&profile.tags, tables.key(place)?)?;
            let tag = &profile.tags[found];
            if used[found] || carried.at(place) != Some(tag.at) {
                return None;
            }
            used[found] = true;
            Some(tag.score)
        };
        let mut marks = Vec::with_capacity(tables.len());
        tables.for_each_place(|place| marks.push(mark(place)));
        let loose = (0..used.len()).filter(|&place| !used[place]).collect();
        let shared = shared(&marks);
        Self { marks, shared, loose }
    }

    /// The half byte for the `index`th entry.
    pub(super) fn nibble(&self, index: usize) -> u8 {
        let Some(score) = self.marks[index] else { return 0 };
        let known = self.shared.iter().position(|s| s.to_bits() == score.to_bits());
        match known.and_then(|place| u8::try_from(place + 1).ok()) {
            Some(known) => known,
            None if is_short(score) => SPELLED,
            None => (score.to_bits() >> 23)
                .checked_sub(LOWEST_EXPONENT)
                .and_then(|power| u8::try_from(power).ok())
                .filter(|&power| power <= 15 - LOWEST)
                .map_or(SPELLED, |power| LOWEST + power),
        }
    }

    /// What of the `index`th entry's score its half byte doesn't say.
    pub(super) fn put_spelled(&self, out: &mut Vec<u8>, index: usize) {
        match (self.nibble(index), self.marks[index]) {
            (SPELLED, Some(score)) => put_score(out, score),
            (LOWEST.., Some(score)) => put_fixed(out, u64::from(score.to_bits() & 0x7f_ffff), 3),
            _ => {}
        }
    }
}

/// The score that a half byte stands for.
pub(super) fn take_mark(
    input: &mut Input<'_>,
    nibble: u8,
    shared: &[f32],
) -> Result<Option<f32>, Corrupt> {
    match nibble {
        0 => Ok(None),
        SPELLED => input.score().map(Some),
        LOWEST.. => {
            let fraction = u32::try_from(input.fixed(3)?).map_err(|_| Corrupt::Range)?;
            if fraction >> 23 != 0 {
                return Err(Corrupt::Range);
            }
            let exponent = u32::from(nibble - LOWEST) + LOWEST_EXPONENT;
            Ok(Some(f32::from_bits((exponent << 23) | fraction)))
        }
        place => shared.get(usize::from(place) - 1).copied().map(Some).ok_or(Corrupt::Reference),
    }
}

/// The tags that marks stand for, unsorted.
pub(super) fn marked(
    marks: &[(Place, f32)],
    tables: &Tables,
    carried: &Carried,
) -> Result<Vec<Tag>, Corrupt> {
    let tag = |&(place, score): &(Place, f32)| {
        let key = tables.key(place).ok_or(Corrupt::Code)?;
        let at = carried.at(place).ok_or(Corrupt::Reference)?;
        Ok(Tag { key, score, at })
    };
    marks.iter().map(tag).collect()
}

pub(super) fn put_loose(out: &mut Vec<u8>, profile: &Profile, loose: &[usize], ids: &mut Ids) {
    put_count(out, loose.len());
    for tag in loose.iter().map(|&place| &profile.tags[place]) {
        // The newest stroke of the tag's instant, counted from the last one.
        let stroke = profile.strokes.iter().rev().position(|stroke| stroke.at == tag.at);
        put_key(out, tag.key, flag(stroke.is_none(), 4), ids);
        match stroke {
            Some(stroke) => put_count(out, stroke),
            None => put_span(out, tag.at, profile.seen),
        }
        put_score(out, tag.score);
    }
}

/// Reads the loose tags into `profile`, whose strokes are read already.
pub(super) fn take_loose(
    input: &mut Input<'_>,
    profile: &mut Profile,
    ids: &mut Ids,
) -> Result<(), Corrupt> {
    for _ in 0..input.varint()? {
        let (key, flags) = take_key(input, ids)?;
        let at = match flags {
            0 => {
                let back: usize = input.number()?;
                profile.strokes.iter().rev().nth(back).ok_or(Corrupt::Reference)?.at
            }
            1 => input.before(profile.seen)?,
            _ => return Err(Corrupt::Code),
        };
        let score = input.score()?;
        profile.tags.push(Tag { key, score, at });
    }
    Ok(())
}

/// A tag's key: its level in the low two bits of a byte whose other bits are `flags`, a category's depth, the id.
pub(crate) fn put_key(out: &mut Vec<u8>, key: TagKey, flags: u8, ids: &mut Ids) {
    let (level, depth) = match key.level {
        Level::Shop => (0, None),
        Level::Brand => (1, None),
        Level::Category(depth) => (2, Some(depth)),
        Level::Product => (3, None),
    };
    out.push(level | flags);
    out.extend(depth);
    ids.put(out, key.id);
}

/// The key, and the flags moved down by two bits.
pub(crate) fn take_key(input: &mut Input<'_>, ids: &mut Ids) -> Result<(TagKey, u8), Corrupt> {
    let head = input.byte()?;
    let level = match head & 3 {
        0 => Level::Shop,
        1 => Level::Brand,
        2 => Level::Category(input.byte()?),
        _ => Level::Product,
    };
    Ok((TagKey { level, id: ids.take(input)? }, head >> 2))
}

/// The place of a tag: a profile has few, and ids tell them apart sooner than levels do.
fn find(tags: &[Tag], key: TagKey) -> Option<usize> {
    if tags.len() <= FEW {
        return tags.iter().position(|tag| tag.key.id == key.id && tag.key.level == key.level);
    }
    tags.binary_search_by_key(&key, |tag| tag.key).ok()
}

/// The scores that occur more than once, the most frequent first, then in order of appearance.
fn shared(marks: &[Option<f32>]) -> SmallVec<[f32; MOST_SHARED]> {
    let mut counts: SmallVec<[(f32, usize); 32]> = SmallVec::new();
    for score in marks.iter().flatten() {
        match counts.iter_mut().find(|(known, _)| known.to_bits() == score.to_bits()) {
            Some((_, count)) => *count += 1,
            None => counts.push((*score, 1)),
        }
    }
    counts.retain(|(_, count)| *count > 1);
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    counts.into_iter().map(|(score, _)| score).take(MOST_SHARED).collect()
}
