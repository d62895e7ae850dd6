//! The leaves `sequence`, `trait` and `in`.

use crate::check::{Checker, Shape, ZeroOk, head, shortened};
use crate::code::Code;
use crate::tree::{Kind, Tree};
use crate::{Field, InLeaf, SequenceLeaf, Step, TraitLeaf, Where};
use tzeva_model::{Name, NameKind};

pub(crate) const SEQUENCE: Shape =
    Shape { noun: "a `sequence` condition", keys: &["steps", "span", "within"], later: &["per"] };
pub(crate) const STEP: Shape =
    Shape { noun: "a step of a sequence", keys: &["name", "where"], later: &[] };
pub(crate) const TRAIT: Shape =
    Shape { noun: "a `trait` condition", keys: &["name", "is"], later: &[] };

impl Checker<'_> {
    pub(crate) fn sequence(&mut self, tree: &Tree) -> Option<SequenceLeaf> {
        let entries = self.entries(tree, &SEQUENCE)?;
        let steps = self.required(&entries, "steps", "a `sequence` condition");
        let steps = steps.and_then(|tree| self.steps(tree));
        let span = match entries.get("span") {
            Some(tree) => self.duration(tree, "`span`", ZeroOk::No).map(Some),
            None => Some(None),
        };
        let within = match entries.get("within") {
            Some(tree) => self.duration(tree, "`within`", ZeroOk::No).map(Some),
            None => Some(None),
        };
        Some(SequenceLeaf { steps: steps?, span: span?, within: within? })
    }

    fn steps(&mut self, tree: &Tree) -> Option<Vec<Step>> {
        let Kind::List(items) = &tree.kind else {
            self.wrong_shape(tree, "a list of events under `steps`");
            return None;
        };
        if !(2..=SequenceLeaf::MOST).contains(&items.len()) {
            let message = format!(
                "a sequence of {} {}, from 2 to {} are allowed",
                items.len(),
                if items.len() == 1 { "step" } else { "steps" },
                SequenceLeaf::MOST
            );
            let help = "for a single event write `event: { name: ... }`";
            self.refuse(Code::BadSteps, head(tree), message, help);
            return None;
        }
        let read: Vec<_> = items.iter().map(|item| self.step(item)).collect();
        read.into_iter().collect()
    }

    /// A name, or `{ name, where }`.
    fn step(&mut self, tree: &Tree) -> Option<Step> {
        if let Kind::Text(..) = tree.kind {
            let name = self.event_text(tree)?;
            return Some(Step { name, filter: Where::default() });
        }
        let entries = self.entries(tree, &STEP)?;
        let name = self.required(&entries, "name", "a step of a sequence");
        let name = name.and_then(|tree| self.event_text(tree));
        let filter = self.filter(&entries);
        Some(Step { name: name?, filter: filter? })
    }

    pub(crate) fn trait_leaf(&mut self, tree: &Tree) -> Option<TraitLeaf> {
        let entries = self.entries(tree, &TRAIT)?;
        let name = self.required(&entries, "name", "a `trait` condition");
        let name = name.and_then(|tree| self.text(tree, "the name of a trait"));
        let is = self.required(&entries, "is", "a `trait` condition");
        // A trait holds what a property may hold, and is compared like one.
        let field = Field::Property(name.unwrap_or_default().into());
        let test = is.and_then(|tree| self.field_test(&field, tree));
        Some(TraitLeaf { name: name?.into(), test: test? })
    }

    pub(crate) fn in_leaf(&mut self, tree: &Tree) -> Option<InLeaf> {
        let text = self.text(tree, "the name of an audience")?;
        if text.len() > 1_000 {
            let message = format!("`{}` is no audience", shortened(text));
            self.refuse(Code::UnknownAudience, tree.at, message, "");
            return None;
        }
        let audience = Name::new(NameKind::Audience, text);
        self.asked_audiences.push((audience.clone(), tree.at));
        Some(InLeaf { audience })
    }
}
