//! What the ids of names stand for, met by several workers at once.

use foldhash::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use tzeva_model::{Event, Name, NameId, NameKind, Rejection, RejectionCode};
use tzeva_painter::each_name;

/// Texts by id.
#[derive(Default)]
pub struct Names(RwLock<HashMap<NameId, Text>>);

/// The names that one worker has met: most are looked up here, without a lock.
pub struct Met<'a> {
    all: &'a Names,
    own: HashMap<NameId, Text>,
}

/// `None` is the empty one.
type Text = Option<Arc<str>>;

// === impl Names ===

impl Names {
    /// The text of `id`, if it was met.
    pub fn text(&self, id: NameId) -> Option<String> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&id).map(|text| text.as_deref().unwrap_or_default().to_owned())
    }

    /// The texts that were met as names of `kind`.
    pub fn of_kind(&self, kind: NameKind) -> Vec<String> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let texts = all.iter().filter_map(|(id, text)| Some((id, text.as_deref()?)));
        let own = texts.filter(|(id, text)| NameId::of(kind, text) == **id);
        own.map(|(_, text)| text.to_owned()).collect()
    }

    /// What one more worker has met.
    pub fn worker(&self) -> Met<'_> {
        Met { all: self, own: HashMap::default() }
    }

    /// Records `name`, and gives the text that its id stands for, which may be another one.
    fn record(&self, name: &Name) -> Text {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(name.id()).or_insert_with(|| name.shared().cloned()).clone()
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
            let known = match self.own.get(&name.id()) {
                Some(known) => known,
                None => self.own.entry(name.id()).or_insert(self.all.record(name)),
            };
            let same = match (known, name.shared()) {
                // Most names of one text are one text in memory.
                (Some(known), Some(text)) => Arc::ptr_eq(known, text) || known == text,
                (known, text) => known.as_ref() == text,
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
