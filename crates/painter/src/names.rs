//! The names a partition has met. The first sight of a name goes into the commit record and from there to `tzeva.names`;
//! a second text under a known id is refused; and a flood of invented names is bounded.

use foldhash::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use tzeva_commit::NewName;
use tzeva_model::{Event, Millis, Name, NameId, NameKind, Rejection, RejectionCode, UnixMillis};

/// Names by id.
pub type NameTable = HashMap<NameId, Box<str>>;

/// What the names topic holds, shared by the partitions of a process; whoever reads the topic adds to it.
#[derive(Clone, Debug, Default)]
pub struct SharedNames(Arc<RwLock<NameTable>>);

/// What ids stand for, as far as this partition knows.
#[derive(Debug)]
pub struct Catalogue {
    base: SharedNames,
    /// Names of commits that count.
    own: NameTable,
    /// Names of commits on their way: if those don't count, nobody has recorded them.
    pending: NameTable,
    /// New names allowed a minute of engine time.
    per_minute: u32,
    minute: i64,
    in_minute: u32,
    /// Names that went by without being recorded, in all.
    capped: u64,
}

/// How a name stands to what is known under its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    No,
    Same,
    Other,
}

/// A table of names under the keys of `tzeva.names`, `<kind>/<16 hex digits>`; what has another key is left out.
pub fn table(names: impl IntoIterator<Item = (String, String)>) -> NameTable {
    let name = |(key, text): (String, String)| Some((id(&key)?, text.into_boxed_str()));
    names.into_iter().filter_map(name).collect()
}

fn id(key: &str) -> Option<NameId> {
    let (_, hex) = key.split_once('/')?;
    (hex.len() == 16).then(|| u64::from_str_radix(hex, 16).ok().map(NameId::new)).flatten()
}

// === impl SharedNames ===

impl SharedNames {
    /// Adds names read from the topic.
    pub fn extend(&self, names: impl IntoIterator<Item = (NameId, Box<str>)>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// The text of `id`, if it is known.
    #[must_use]
    pub fn text(&self, id: NameId) -> Option<String> {
        self.with(id, |text| text.map(str::to_owned))
    }

    fn with<T>(&self, id: NameId, look: impl FnOnce(Option<&str>) -> T) -> T {
        look(self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).map(|text| &**text))
    }
}

// === impl Catalogue ===

impl Catalogue {
    /// A catalogue on top of `base`.
    #[must_use]
    pub fn new(base: SharedNames, per_minute: u32) -> Self {
        Self {
            base,
            own: NameTable::default(),
            pending: NameTable::default(),
            per_minute,
            minute: i64::MIN,
            in_minute: 0,
            capped: 0,
        }
    }

    /// The text of `id`, if it is known.
    #[must_use]
    pub fn text(&self, id: NameId) -> Option<String> {
        let own = self.own.get(&id).or_else(|| self.pending.get(&id));
        own.map(|text| text.to_string()).or_else(|| self.base.text(id))
    }

    fn known(&self, name: &Name) -> Known {
        let compare = |text: Option<&str>| match text {
            None => Known::No,
            Some(text) if text == name.text() => Known::Same,
            Some(_) => Known::Other,
        };
        match self.own.get(&name.id()).or_else(|| self.pending.get(&name.id())) {
            Some(text) => compare(Some(text)),
            None => self.base.with(name.id(), compare),
        }
    }

    /// The commit that recorded these names counts.
    pub fn confirm(&mut self, ids: &[NameId]) {
        for id in ids {
            if let Some(text) = self.pending.remove(id) {
                self.own.insert(*id, text);
            }
        }
    }

    /// Commits on their way are given up: their names are as new as before.
    pub fn forget_pending(&mut self) {
        self.pending.clear();
    }

    /// How many new names the cap has kept out of the log so far.
    #[must_use]
    pub const fn capped(&self) -> u64 {
        self.capped
    }

    /// Takes in a name read from the log.
    pub fn learn(&mut self, name: &NewName) {
        self.own.insert(name.id, name.text.clone());
    }

    /// Refuses an event that gives a known id another name.
    ///
    /// # Errors
    /// `name_collision`; a retry never helps.
    pub fn check(&self, event: &Event) -> Result<(), Rejection> {
        let mut refused = None;
        each_name(event, &mut |kind, name| {
            if self.known(name) == Known::Other {
                refused = Some((kind, name.id()));
            }
        });
        match refused {
            None => Ok(()),
            Some((kind, id)) => Err(Rejection::new(
                RejectionCode::NameCollision,
                format!(
                    "the {} of this event has the id {id}, under which another name is known",
                    kind.word()
                ),
            )),
        }
    }

    /// Records the names of an event at engine time `at`, adding those first seen to `new`.
    pub fn meet(&mut self, event: &Event, at: UnixMillis, new: &mut Vec<NewName>) {
        each_name(event, &mut |kind, name| self.sight(kind, name, at, new));
    }

    /// Records the names of audiences; the cap is not meant for them.
    pub fn meet_audiences<'a>(
        &mut self,
        audiences: impl Iterator<Item = &'a Name>,
        new: &mut Vec<NewName>,
    ) {
        for name in audiences {
            if self.known(name) == Known::No {
                self.record(NameKind::Audience, name, new);
            }
        }
    }

    fn sight(&mut self, kind: NameKind, name: &Name, at: UnixMillis, new: &mut Vec<NewName>) {
        if self.known(name) != Known::No {
            return;
        }
        let minute = at.get().div_euclid(Millis::MINUTE.get());
        if minute != self.minute {
            (self.minute, self.in_minute) = (minute, 0);
        }
        if self.in_minute >= self.per_minute {
            self.capped += 1;
            return;
        }
        self.in_minute += 1;
        self.record(kind, name, new);
    }

    fn record(&mut self, kind: NameKind, name: &Name, new: &mut Vec<NewName>) {
        let first = NewName { kind, id: name.id(), text: name.text().into() };
        self.pending.insert(first.id, first.text.clone());
        new.push(first);
    }
}

/// Visits every name of an event.
/// Every name in `event`, the same one perhaps several times.
pub fn each_name(event: &Event, visit: &mut impl FnMut(NameKind, &Name)) {
    visit(NameKind::Event, &event.name);
    for item in &event.items {
        if let Some(product) = &item.product {
            visit(NameKind::Product, product);
        }
        if let Some(brand) = &item.brand {
            visit(NameKind::Brand, brand);
        }
        for depth in item.category.iter().flat_map(|category| category.depths()) {
            visit(NameKind::Category, depth);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tzeva_model::{EventId, Item, VisitorId};

    fn event(brand: &str) -> Event {
        Event {
            visitor: VisitorId::try_new("v-1").unwrap(),
            id: EventId::new("e-1"),
            name: Name::new(NameKind::Event, "product_viewed"),
            occurred_at: UnixMillis::new(0),
            items: vec![Item { brand: Some(Name::new(NameKind::Brand, brand)), ..Item::default() }],
            revenue: None,
            currency: None,
            coupon: None,
            channel: None,
            country: None,
            page_path: None,
            properties: vec![],
            traceparent: None,
            traits: vec![],
        }
    }

    #[test]
    fn a_name_is_found_under_the_id_in_its_key() {
        let id = NameId::new(0x0123_4567_89ab_cdef);
        let named = |key: &str| (key.to_owned(), "Acme".to_owned());
        let names = table([named("brand/0123456789abcdef"), named("brand"), named("brand/12")]);
        assert_eq!(names.get(&id).map(|text| &**text), Some("Acme"));
        assert_eq!(names.len(), 1);
    }

    #[test]
    fn only_the_first_sight_of_a_name_is_recorded() {
        let mut catalogue = Catalogue::new(SharedNames::default(), 10);
        let mut new = vec![];
        catalogue.meet(&event("Acme"), UnixMillis::new(0), &mut new);
        catalogue.meet(&event("Acme"), UnixMillis::new(1), &mut new);
        let texts: Vec<_> = new.iter().map(|name| &*name.text).collect();
        assert_eq!(texts, ["product_viewed", "Acme"]);
    }

    #[test]
    fn a_second_name_under_a_known_id_is_refused() {
        let brand = Name::new(NameKind::Brand, "Acme");
        let base = SharedNames::default();
        base.extend([(brand.id(), "Other".into())]);
        let catalogue = Catalogue::new(base, 10);
        let refused = catalogue.check(&event("Acme")).unwrap_err();
        assert_eq!(refused.code, RejectionCode::NameCollision);
        assert_eq!(catalogue.check(&event("Zenith")), Ok(()));
    }

    #[test]
    fn a_name_whose_commit_does_not_count_is_new_again() {
        let mut catalogue = Catalogue::new(SharedNames::default(), 10);
        let mut new = vec![];
        catalogue.meet(&event("Acme"), UnixMillis::new(0), &mut new);
        catalogue.confirm(&[new[0].id]);
        catalogue.forget_pending();
        let mut again = vec![];
        catalogue.meet(&event("Acme"), UnixMillis::new(1), &mut again);
        assert_eq!(again, [new[1].clone()], "the event's name counts, the brand's was lost");
    }

    #[test]
    fn past_the_cap_a_name_waits_for_the_next_minute() {
        let mut catalogue = Catalogue::new(SharedNames::default(), 1);
        let mut new = vec![];
        catalogue.meet(&event("Acme"), UnixMillis::new(0), &mut new);
        assert_eq!((new.len(), catalogue.capped()), (1, 1));
        catalogue.meet(&event("Acme"), UnixMillis::new(60_000), &mut new);
        assert_eq!(new.len(), 2);
        assert_eq!(catalogue.text(NameId::of(NameKind::Brand, "Acme")), Some("Acme".into()));
    }
}
