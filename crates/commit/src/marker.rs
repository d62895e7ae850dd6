//! The stored form of a marker, one for all stores: 42 bytes, so that a guard that can only slice strings (a Lua script)
//! finds the incarnation and the seq at fixed places.
//!
//! | byte | field |
//! |---|---|
//! | 0 | form, 1 |
//! | 1 | the oldest reader's form that understands it, 1 |
//! | 2-9 | incarnation, big-endian |
//! | 10-17 | seq, big-endian |
//! | 18-25 | offset, big-endian, two's complement |
//! | 26-33 | epoch, likewise |
//! | 34-41 | `filed_until`, likewise |

use crate::Marker;
use tzeva_model::{Epoch, Incarnation, LogOffset, Seq, UnixMillis};

/// The form that this code writes, and the newest `min_reader` that it reads.
const FORM: u8 = 1;

/// Why stored bytes are no marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkerError {
    /// Written by a newer version, which says that this one can't read it.
    #[error("the marker has form {form}, which needs a reader of form {min_reader}; this one is 1")]
    Newer {
        /// Its form.
        form: u8,
        /// The oldest reader that understands it.
        min_reader: u8,
    },
    /// Not as long as a marker is.
    #[error("the marker is {0} bytes long, expected 42")]
    Length(usize),
}

// === impl Marker ===

impl Marker {
    /// The length of the stored form, in bytes.
    pub const STORED: usize = 42;

    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::STORED] {
        let mut out = [0; Self::STORED];
        out[0] = FORM;
        out[1] = FORM;
        out[2..10].copy_from_slice(&self.incarnation.get().to_be_bytes());
        out[10..18].copy_from_slice(&self.seq.get().to_be_bytes());
        out[18..26].copy_from_slice(&self.offset.get().to_be_bytes());
        out[26..34].copy_from_slice(&self.epoch.get().to_be_bytes());
        out[34..42].copy_from_slice(&self.filed_until.get().to_be_bytes());
        out
    }

    /// The marker that [`encode`](Self::encode) wrote; bytes behind those known today are for newer readers.
    ///
    /// # Errors
    /// See [`MarkerError`]; a retry never helps.
    pub fn decode(stored: &[u8]) -> Result<Self, MarkerError> {
        if let [form, min_reader, ..] = *stored
            && min_reader > FORM
        {
            return Err(MarkerError::Newer { form, min_reader });
        }
        let Some(known) = stored.get(..Self::STORED) else {
            return Err(MarkerError::Length(stored.len()));
        };
        let (words, _) = known[2..].as_chunks::<8>();
        Ok(Self {
            incarnation: Incarnation::new(u64::from_be_bytes(words[0])),
            seq: Seq::new(u64::from_be_bytes(words[1])),
            offset: LogOffset::new(i64::from_be_bytes(words[2])),
            epoch: Epoch::new(i64::from_be_bytes(words[3])),
            filed_until: UnixMillis::new(i64::from_be_bytes(words[4])),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        Marker {
            incarnation: Incarnation::new(0x0102_0304_0506_0708),
            offset: LogOffset::new(-2),
            epoch: Epoch::new(7),
            seq: Seq::new(u64::MAX),
            filed_until: UnixMillis::new(1_795_341_600_060),
        }
    }

    #[test]
    fn a_marker_comes_back_as_it_went() {
        assert_eq!(Marker::decode(&marker().encode()), Ok(marker()));
        let mut longer = marker().encode().to_vec();
        longer.push(9);
        assert_eq!(Marker::decode(&longer), Ok(marker()));
    }

    #[test]
    fn guards_find_incarnation_and_seq_at_fixed_places() {
        let bytes = marker().encode();
        assert_eq!(bytes[2..10], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(bytes[10..18], [255; 8]);
    }

    #[test]
    fn a_marker_for_newer_readers_is_refused() {
        let mut bytes = marker().encode();
        bytes[..2].copy_from_slice(&[3, 2]);
        assert_eq!(Marker::decode(&bytes), Err(MarkerError::Newer { form: 3, min_reader: 2 }));
        assert_eq!(Marker::decode(&marker().encode()[..41]), Err(MarkerError::Length(41)));
    }
}
