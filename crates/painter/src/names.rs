//! The names a partition has met. The first sight of a name goes into the commit record and from there to `tzeva.names`;
//! a second text under a known id is refused; and a flood of invented names is bounded.

use foldhash::HashMap;
use std::sync::Arc;
use tzeva_commit::NewName;
use tzeva_model::{Event, Millis, Name, NameId, NameKind, Rejection, RejectionCode, UnixMillis};

/// Names by id.
pub type NameTable = HashMap<NameId, Box<str>>;

/// What ids stand for, as far as this partition knows.
#[derive(Debug)]
pub struct Catalogue {
    /// What the names topic held when the painter started; shared by its partitions.
    base: Arc<NameTable>,
    own: NameTable,
    /// New names allowed a minute of engine time.
    per_minute: u32,
    minute: i64,
    in_minute: u32,
    /// Names that went by without being recorded, in all.
    capped: u64,
}

// === impl Catalogue ===

impl Catalogue {
    /// A catalogue on top of `base`.
    #[must_use]
    pub fn new(base: Arc<NameTable>, per_minute: u32) -> Self {
        let own = NameTable::default();
        Self { base, own, per_minute, minute: i64::MIN, in_minute: 0, capped: 0 }
    }

    /// The text of `id`, if it is known.
    #[must_use]
    pub fn text(&self, id: NameId) -> Option<&str> {
        self.own.get(&id).or_else(|| self.base.get(&id)).map(|text| &**text)
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
            if self.text(name.id()).is_some_and(|known| known != name.text()) {
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
            if self.text(name.id()).is_none() {
                let first =
                    NewName { kind: NameKind::Audience, id: name.id(), text: name.text().into() };
                self.learn(&first);
                new.push(first);
            }
        }
    }

    fn sight(&mut self, kind: NameKind, name: &Name, at: UnixMillis, new: &mut Vec<NewName>) {
        if self.text(name.id()).is_some() {
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
        let first = NewName { kind, id: name.id(), text: name.text().into() };
        self.learn(&first);
        new.push(first);
    }
}

/// Visits every name of an event.
fn each_name(event: &Event, visit: &mut impl FnMut(NameKind, &Name)) {
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
    fn only_the_first_sight_of_a_name_is_recorded() {
        let mut catalogue = Catalogue::new(Arc::default(), 10);
        let mut new = vec![];
        catalogue.meet(&event("Acme"), UnixMillis::new(0), &mut new);
        catalogue.meet(&event("Acme"), UnixMillis::new(1), &mut new);
        let texts: Vec<_> = new.iter().map(|name| &*name.text).collect();
        assert_eq!(texts, ["product_viewed", "Acme"]);
    }

    #[test]
    fn a_second_name_under_a_known_id_is_refused() {
        let brand = Name::new(NameKind::Brand, "Acme");
        let base = NameTable::from_iter([(brand.id(), "Other".into())]);
        let catalogue = Catalogue::new(Arc::new(base), 10);
        let refused = catalogue.check(&event("Acme")).unwrap_err();
        assert_eq!(refused.code, RejectionCode::NameCollision);
        assert_eq!(catalogue.check(&event("Zenith")), Ok(()));
    }

    #[test]
    fn past_the_cap_a_name_waits_for_the_next_minute() {
        let mut catalogue = Catalogue::new(Arc::default(), 1);
        let mut new = vec![];
        catalogue.meet(&event("Acme"), UnixMillis::new(0), &mut new);
        assert_eq!((new.len(), catalogue.capped()), (1, 1));
        catalogue.meet(&event("Acme"), UnixMillis::new(60_000), &mut new);
        assert_eq!(new.len(), 2);
        assert_eq!(catalogue.text(NameId::of(NameKind::Brand, "Acme")), Some("Acme"));
    }
}
