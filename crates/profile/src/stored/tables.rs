//! Brands, category nodes and forms: every distinct thing that the items of a profile's strokes are made of.

use super::read::Budget;
use crate::bytes::Corrupt;
use crate::{Stroke, StrokeItem};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use tzeva_model::{Amount, Level, NameId, TagKey, UnixMillis};

/// A category path: its last id, and the node of the path above it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) parent: Option<usize>,
    pub(super) id: NameId,
    /// 1 for a root.
    pub(super) depth: usize,
}

/// What an item is, up to quantity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) product: Product,
    /// The id of its product.
    pub(super) id: Option<NameId>,
    pub(super) brand: Option<usize>,
    pub(super) node: Option<usize>,
    pub(super) price: Option<Amount>,
}

/// The product of a form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Product {
    None,
    /// Spelled here for the first time.
    New(NameId),
    /// That of an earlier form: its place.
    Of(usize),
}

/// The tables of a profile.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) brands: Vec<NameId>,
    pub(super) nodes: Vec<Node>,
    pub(super) forms: Vec<Form>,
}

/// Tables being made, with what finds an item's place in them.
#[derive(Debug, Default)]
struct Maker<'a> {
    tables: Tables,
    /// The first item of each form.
    firsts: Vec<&'a StrokeItem>,
    /// The nodes by parent and id, once there are too many to search one by one.
    nodes: BTreeMap<(Option<usize>, NameId), usize>,
    /// The forms by product, likewise.
    forms: BTreeMap<Option<NameId>, Vec<usize>>,
}

/// So many nodes, so many forms are searched one by one.
const FEW: usize = 32;

/// An entry of the tables seen as a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Shop,
    Brand(usize),
    Node(usize),
    Form(usize),
}

/// When each entry was last carried by a stroke.
#[derive(Debug)]
pub(super) struct Carried {
    /// The shop's, those of brands, of nodes, of forms.
    at: Vec<Option<UnixMillis>>,
    nodes: usize,
    forms: usize,
}

// === impl Tables ===

impl Tables {
    /// The tables of all items, and the place of each item's form, stroke by stroke.
    pub(super) fn of(strokes: &[Stroke]) -> (Self, Vec<usize>) {
        let mut maker = Maker::default();
        maker.tables.forms.reserve(strokes.len().min(FEW));
        maker.firsts.reserve(strokes.len().min(FEW));
        let mut places = Vec::with_capacity(strokes.len());
        for stroke in strokes {
            places.extend(stroke.items.iter().map(|item| maker.form_of(item)));
        }
        (maker.tables, places)
    }

    /// An item of this form, without price and quantity.
    pub(super) fn item(&self, form: usize, budget: &mut Budget) -> Result<StrokeItem, Corrupt> {
        let form = self.forms.get(form).ok_or(Corrupt::Reference)?;
        let mut category = SmallVec::new();
        let mut next = form.node;
        while let Some(place) = next {
            let node = &self.nodes[place];
            budget.spend(1)?;
            category.push(node.id);
            next = node.parent;
        }
        category.reverse();
        let brand = form.brand.map(|place| self.brands[place]);
        let product = form.id;
        Ok(StrokeItem { product, brand, category, ..StrokeItem::default() })
    }

    /// How many entries may be tags.
    pub(super) fn len(&self) -> usize {
        1 + self.brands.len() + self.nodes.len() + self.forms.len()
    }

    /// Every entry that may be a tag, in the order in which their scores are written.
    pub(super) fn for_each_place(&self, mut each: impl FnMut(Place)) {
        each(Place::Shop);
        (0..self.brands.len()).for_each(|place| each(Place::Brand(place)));
        (0..self.nodes.len()).for_each(|place| each(Place::Node(place)));
        (0..self.forms.len()).for_each(|place| each(Place::Form(place)));
    }

    /// The tag that an entry stands for; none for a form without a product of its own and a path too deep for a level.
    pub(super) fn key(&self, place: Place) -> Option<TagKey> {
        Some(match place {
            Place::Shop => TagKey { level: Level::Shop, id: NameId::new(crate::known::IDS[0]) },
            Place::Brand(place) => TagKey { level: Level::Brand, id: self.brands[place] },
            Place::Node(place) => {
                let Node { id, depth, .. } = self.nodes[place];
                TagKey { level: Level::Category(u8::try_from(depth).ok()?), id }
            }
            Place::Form(place) => match self.forms[place].product {
                Product::New(id) => TagKey { level: Level::Product, id },
                _ => return None,
            },
        })
    }
}

// === impl Maker ===

impl<'a> Maker<'a> {
    /// The form of an item. An item without a price fits the form of any price.
    fn form_of(&mut self, item: &'a StrokeItem) -> usize {
        let fits = |place: usize| {
            let (form, first) = (&self.tables.forms[place], self.firsts[place]);
            first.product == item.product
                && first.brand == item.brand
                && first.category == item.category
                && (item.price.is_none() || form.price.is_none() || item.price == form.price)
        };
        let of_product = self.forms.get(&item.product).map_or(&[][..], Vec::as_slice);
        let known = match self.firsts.len() {
            ..=FEW => (0..self.firsts.len()).find(|&place| fits(place)),
            _ => of_product.iter().copied().find(|&place| fits(place)),
        };
        if let Some(place) = known {
            let price = &mut self.tables.forms[place].price;
            *price = price.or(item.price);
            return place;
        }
        let same = match self.firsts.len() {
            ..=FEW => self.firsts.iter().position(|first| first.product == item.product),
            _ => of_product.first().copied(),
        };
        let product = match (item.product, same) {
            (None, _) => Product::None,
            (_, Some(place)) => Product::Of(place),
            (Some(id), None) => Product::New(id),
        };
        let (brand, node) = (self.brand_of(item), self.node_of_path(item));
        let (id, price) = (item.product, item.price);
        self.tables.forms.push(Form { product, id, brand, node, price });
        self.firsts.push(item);
        let place = self.firsts.len() - 1;
        if place == FEW {
            for (place, first) in self.firsts.iter().enumerate() {
                self.forms.entry(first.product).or_default().push(place);
            }
        } else if place > FEW {
            self.forms.entry(item.product).or_default().push(place);
        }
        place
    }

    fn brand_of(&mut self, item: &StrokeItem) -> Option<usize> {
        let brands = &mut self.tables.brands;
        item.brand.map(|id| {
            brands.iter().position(|&known| known == id).unwrap_or_else(|| {
                brands.push(id);
                brands.len() - 1
            })
        })
    }

    fn node_of_path(&mut self, item: &StrokeItem) -> Option<usize> {
        item.category.iter().fold(None, |parent, &id| Some(self.node_of(parent, id)))
    }

    fn node_of(&mut self, parent: Option<usize>, id: NameId) -> usize {
        let nodes = &mut self.tables.nodes;
        let known = if nodes.len() <= FEW {
            nodes.iter().position(|node| node.parent == parent && node.id == id)
        } else {
            self.nodes.get(&(parent, id)).copied()
        };
        known.unwrap_or_else(|| {
            let depth = parent.map_or(0, |parent| nodes[parent].depth) + 1;
            nodes.push(Node { parent, id, depth });
            if nodes.len() > FEW {
                let new = nodes.iter().enumerate().skip(self.nodes.len());
                self.nodes.extend(new.map(|(place, node)| ((node.parent, node.id), place)));
            }
            nodes.len() - 1
        })
    }
}

// === impl Carried ===

impl Carried {
    pub(super) fn new(tables: &Tables) -> Self {
        let nodes = 1 + tables.brands.len();
        Self { at: vec![None; tables.len()], nodes, forms: nodes + tables.nodes.len() }
    }

    /// A stroke at `at` has an item of this form.
    pub(super) fn item(&mut self, form: usize, at: UnixMillis) {
        let known = &mut self.at[self.forms + form];
        *known = (*known).max(Some(at));
    }

    /// Once all items are told: what carries a form carries its brand, its whole path, and its product's first form.
    pub(super) fn finish(&mut self, tables: &Tables, last: Option<UnixMillis>) {
        self.at[0] = last;
        for (place, form) in tables.forms.iter().enumerate() {
            let at = self.at[self.forms + place];
            if let Some(brand) = form.brand {
                self.raise(1 + brand, at);
            }
            if let Some(node) = form.node {
                self.raise(self.nodes + node, at);
            }
            if let Product::Of(first) = form.product {
                self.raise(self.forms + first, at);
            }
        }
        for (place, node) in tables.nodes.iter().enumerate().rev() {
            if let Some(parent) = node.parent {
                self.raise(self.nodes + parent, self.at[self.nodes + place]);
            }
        }
    }

    /// When an entry was last carried.
    pub(super) fn at(&self, place: Place) -> Option<UnixMillis> {
        self.at[match place {
            Place::Shop => 0,
            Place::Brand(place) => 1 + place,
            Place::Node(place) => self.nodes + place,
            Place::Form(place) => self.forms + place,
        }]
    }

    fn raise(&mut self, index: usize, at: Option<UnixMillis>) {
        self.at[index] = self.at[index].max(at);
    }
}
