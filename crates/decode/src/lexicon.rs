//! Names that come again and again, ready made: hashing, folding and joining them is half of what a record costs.
//!
//! A text has one slot that it may be in; another one of that slot takes its place. So memory is bounded, and what is
//! found is what would have been made.

use tzeva_model::{Category, Name};
use xxhash_rust::xxh3::xxh3_64;

/// What a decoder has made of texts.
#[derive(Debug)]
pub(crate) struct Lexicon {
    /// Events, by the text before folding.
    pub(crate) events: Slots<Name>,
    /// Brands.
    pub(crate) brands: Slots<Name>,
    /// Category paths; `None`: a text without a path.
    pub(crate) categories: Slots<Option<Category>>,
}

/// Values by the texts that they were made of.
#[derive(Debug)]
pub(crate) struct Slots<T>(Vec<Option<(Box<str>, T)>>);

/// Longer texts are made anew each time.
const LONGEST: usize = 128;

// === impl Lexicon ===

impl Default for Lexicon {
    fn default() -> Self {
        Self { events: Slots::new(64), brands: Slots::new(512), categories: Slots::new(1_024) }
    }
}

// === impl Slots ===

impl<T: Clone> Slots<T> {
    fn new(count: usize) -> Self {
        Self(vec![None; count])
    }

    /// What `make` makes of `text`; it must make the same each time.
    pub(crate) fn get(&mut self, text: &str, make: impl FnOnce(&str) -> T) -> T {
        if text.len() > LONGEST {
            return make(text);
        }
        #[expect(clippy::cast_possible_truncation, reason = "any part of a hash will do")]
        let place = xxh3_64(text.as_bytes()) as usize % self.0.len();
        match &self.0[place] {
            Some((known, value)) if **known == *text => value.clone(),
            _ => {
                let value = make(text);
                self.0[place] = Some((text.into(), value.clone()));
                value
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    #[test]
    fn a_text_gets_its_own_value_however_few_slots_there_are() {
        let mut slots = Slots::new(2);
        let long = "x".repeat(200);
        for _ in 0..3 {
            for text in ["a", "b", "c", "d", "", &long] {
                assert_eq!(slots.get(text, str::to_uppercase), text.to_uppercase());
            }
        }
        assert!(slots.0.iter().flatten().all(|(text, _)| text.len() < 2));
    }
}
