//! What the ids of names stand for, met by several workers at once.

use foldhash::HashMap;
use std::sync::{PoisonError, RwLock};
use tzeva_model::{Event, NameId, Rejection, RejectionCode};
use tzeva_painter::each_name;

/// Texts by id.
#[derive(Default)]
pub struct Names(RwLock<HashMap<NameId, Box<str>>>);

/// The names that one worker has met: most are looked up here, without a lock.
pub struct Met<'a> {
    all: &'a Names,
    own: HashMap<NameId, Box<str>>,
}

// === impl Names ===

impl Names {
    /// The text of `id`, if it was met.
    pub fn text(&self, id: NameId) -> Option<String> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&id).map(|text| text.to_string())
    }

    /// What one more worker has met.
    pub fn worker(&self) -> Met<'_> {
        Met { all: self, own: HashMap::default() }
    }

    /// Records that `id` stands for `text`; false if it stands for another one.
    fn record(&self, id: NameId, text: &str) -> bool {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        &**all.entry(id).or_insert_with(|| text.into()) == text
    }
}

// === impl Met ===

impl Met<'_> {
    /// Records the names of `event`.
    ///
    /// # Errors
    /// `name_collision`: one of its names has the id of another one that was met before, by whichever worker.
    pub fn meet(&mut self, event: &Event) -> Result<(), Rejection> {
        let mut refused = None;
        each_name(event, &mut |kind, name| {
            let same = match self.own.get(&name.id()) {
                Some(text) => &**text == name.text(),
                None => {
                    let same = self.all.record(name.id(), name.text());
                    if same {
                        self.own.insert(name.id(), name.text().into());
                    }
                    same
                }
            };
            if !same {
                refused = Some((kind, name.id()));
            }
        });
        match refused {
            None => Ok(()),
            Some((kind, id)) => Err(Rejection::new(
                RejectionCode::NameCollision,
                format!("the {} has the id {id}, under which another name is known", kind.word()),
            )),
        }
    }
}
