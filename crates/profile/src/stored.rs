//! The stored form of a profile, version 1. `docs/profile-form.md` describes it byte by byte.
//!
//! What makes it small: each distinct id stands in it once and everything else points there by its place; the items of
//! strokes are *forms* (product, brand, category, price) spelled once; strokes of one sort share a *kind* (event, which
//! fields are there, currency, channel, country); and a tag costs half a byte beside its score where it was last
//! painted by the last stroke that carries it, which is the rule.
//!
//! The first byte is the format, the second the oldest reader that can read it: a reader refuses what is newer than
//! itself by name, and never guesses. Bytes from anywhere either decode to a profile that keeps all the promises of its
//! fields (sorted, no doubles), or are refused; memory is bounded by a multiple of the length.
//!
//! Replay: equal profiles have equal bytes, in every process of one version.

mod price;
mod read;
pub(crate) mod rest;
mod tables;
pub(crate) mod tags;
mod write;

pub use crate::bytes::Corrupt;

use crate::Profile;
use crate::bytes::Input;

/// The format that [`encode`] writes, and the newest that [`decode`] reads.
pub const FORMAT: u8 = 1;

/// The oldest reader that can read what [`encode`] writes.
pub const MIN_READER: u8 = 1;

/// Why bytes can't be read as a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// Written by a newer version, in a form that this one does not know. Cure: upgrade.
    #[error("profile has format {format}, which needs a reader of format {min_reader} or newer")]
    Newer {
        /// The format it is in.
        format: u8,
        /// The oldest reader that can read it.
        min_reader: u8,
    },
    /// No profile. Cure: rebuild it from the log.
    #[error("profile is corrupt: {0}")]
    Corrupt(#[from] Corrupt),
}

/// The bytes of a profile.
///
/// Shape: `profile` must keep the promises of its fields (sorted, no doubles; an `Extra` that is there isn't empty), as
/// every profile does that was made by ops; else the bytes may not decode.
/// Replay: same profile, same bytes.
#[must_use]
pub fn encode(profile: &Profile) -> Vec<u8> {
    write::encode(profile)
}

/// The profile that the bytes hold.
///
/// # Errors
/// See [`StoredError`]; a retry never helps.
pub fn decode(bytes: &[u8]) -> Result<Profile, StoredError> {
    Ok(read::decode(versions(bytes)?)?)
}

/// The profile without its lists: seq, stamp, seen, deadline and `exact_since`, which come first in the bytes. For
/// whoever walks over many profiles for their deadlines alone.
///
/// # Errors
/// See [`StoredError`]; what lies behind the head is not looked at.
pub fn decode_head(bytes: &[u8]) -> Result<Profile, StoredError> {
    let mut profile = Profile::default();
    read::head(&mut Input::new(versions(bytes)?), &mut profile)?;
    Ok(profile)
}

/// What follows the two version bytes, if this reader can read it.
fn versions(bytes: &[u8]) -> Result<&[u8], StoredError> {
    match bytes {
        [format, min_reader, ..] if *min_reader > FORMAT => {
            Err(StoredError::Newer { format: *format, min_reader: *min_reader })
        }
        [0, ..] | [_, 0, ..] => Err(Corrupt::Code.into()),
        [_, _, rest @ ..] => Ok(rest),
        _ => Err(Corrupt::Short.into()),
    }
}

/// How many bytes [`encode`] gives, at most: quick to compute, and never too low. Whoever holds a limit compares this
/// first, and encodes only what comes near it.
#[must_use]
pub fn size_bound(profile: &Profile) -> usize {
    let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len() + 6);
    let value = |value: &tzeva_model::Value| match value {
        tzeva_model::Value::Text(text) => text.len() + 8,
        _ => 12,
    };
    let strokes: usize = (profile.strokes.iter())
        .map(|stroke| {
            let items: usize = stroke.items.iter().map(|item| 100 + 24 * item.category.len()).sum();
            let extra = stroke.extra.as_ref().map_or(0, |extra| {
                let properties = extra.properties.iter();
                let properties: usize = properties.map(|(n, v)| n.len() + 6 + value(v)).sum();
                let texts = [&extra.coupon, &extra.channel, &extra.country, &extra.page_path];
                16 + properties + texts.map(text).into_iter().sum::<usize>()
            });
            80 + items + extra
        })
        .sum();
    let traits: usize = profile.traits.iter().map(|(n, v, _)| n.len() + 16 + value(v)).sum();
    160 + strokes
        + traits
        + 70 * profile.cells.len()
        + 32 * profile.tags.len()
        + 40 * profile.standings.len()
}

#[cfg(test)]
mod tests;
