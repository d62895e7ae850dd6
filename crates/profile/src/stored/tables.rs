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
    /// The nodes by parent and id, once there are too many to search one by one.
    index: BTreeMap<(Option<usize>, NameId), usize>,
}

/// So many nodes are searched one by one.
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
    shop: Option<UnixMillis>,
    brands: Vec<Option<UnixMillis>>,
    nodes: Vec<Option<UnixMillis>>,
    forms: Vec<Option<UnixMillis>>,
}

// === impl Tables ===

impl Tables {
    /// The tables of all items, and the place of each item's form, stroke by stroke.
    pub(super) fn of(strokes: &[Stroke]) -> (Self, Vec<usize>) {
        let mut tables = Self::default();
        let items = strokes.iter().flat_map(|stroke| &stroke.items);
        let places = items.map(|item| tables.form_of(item)).collect();
        (tables, places)
    }

    /// The form of an item. An item without a price fits the form of any price.
    fn form_of(&mut self, item: &StrokeItem) -> usize {
        let brand = item.brand.map(|id| {
            self.brands.iter().position(|&known| known == id).unwrap_or_else(|| {
                self.brands.push(id);
                self.brands.len() - 1
            })
        });
        let node = item.category.iter().fold(None, |parent, &id| Some(self.node_of(parent, id)));
        let fits = |form: &Form| {
            let price = item.price.is_none() || form.price.is_none() || item.price == form.price;
            form.brand == brand
                && form.node == node
                && self.product(form.product) == item.product
                && price
        };
        if let Some(place) = self.forms.iter().position(fits) {
            let price = &mut self.forms[place].price;
            *price = price.or(item.price);
            return place;
        }
        let same = self.forms.iter().position(|form| match (form.product, item.product) {
            (Product::New(id), Some(product)) => id == product,
            _ => false,
        });
        let product = match (item.product, same) {
            (None, _) => Product::None,
            (_, Some(place)) => Product::Of(place),
            (Some(id), None) => Product::New(id),
        };
        self.forms.push(Form { product, brand, node, price: item.price });
        self.forms.len() - 1
    }

    fn node_of(&mut self, parent: Option<usize>, id: NameId) -> usize {
        let known = if self.nodes.len() <= FEW {
            self.nodes.iter().position(|node| node.parent == parent && node.id == id)
        } else {
            self.index.get(&(parent, id)).copied()
        };
        known.unwrap_or_else(|| {
            let depth = parent.map_or(0, |parent| self.nodes[parent].depth) + 1;
            self.nodes.push(Node { parent, id, depth });
            if self.nodes.len() > FEW {
                let indexed = self.index.len();
                let new = self.nodes.iter().enumerate().skip(indexed);
                self.index.extend(new.map(|(place, node)| ((node.parent, node.id), place)));
            }
            self.nodes.len() - 1
        })
    }

    /// The id of a form's product.
    pub(super) fn product(&self, product: Product) -> Option<NameId> {
        match product {
            Product::None => None,
            Product::New(id) => Some(id),
            Product::Of(place) => match self.forms[place].product {
                Product::New(id) => Some(id),
                _ => None,
            },
        }
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
        let product = self.product(form.product);
        Ok(StrokeItem { product, brand, category, ..StrokeItem::default() })
    }

    /// Every entry that may be a tag, in the order in which their scores are written.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        std::iter::once(Place::Shop)
            .chain((0..self.brands.len()).map(Place::Brand))
            .chain((0..self.nodes.len()).map(Place::Node))
            .chain((0..self.forms.len()).map(Place::Form))
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

// === impl Carried ===

impl Carried {
    pub(super) fn new(tables: &Tables) -> Self {
        Self {
            shop: None,
            brands: vec![None; tables.brands.len()],
            nodes: vec![None; tables.nodes.len()],
            forms: vec![None; tables.forms.len()],
        }
    }

    /// A stroke at `at` has an item of this form.
    pub(super) fn item(&mut self, form: usize, at: UnixMillis) {
        self.forms[form] = self.forms[form].max(Some(at));
    }

    /// Once all items are told: what carries a form carries its brand, its whole path, and its product's first form.
    pub(super) fn finish(&mut self, tables: &Tables, last: Option<UnixMillis>) {
        self.shop = last;
        for (place, form) in tables.forms.iter().enumerate() {
            let at = self.forms[place];
            if let Some(brand) = form.brand {
                self.brands[brand] = self.brands[brand].max(at);
            }
            if let Some(node) = form.node {
                self.nodes[node] = self.nodes[node].max(at);
            }
            if let Product::Of(first) = form.product {
                self.forms[first] = self.forms[first].max(at);
            }
        }
        for (place, node) in tables.nodes.iter().enumerate().rev() {
            if let Some(parent) = node.parent {
                self.nodes[parent] = self.nodes[parent].max(self.nodes[place]);
            }
        }
    }

    /// When an entry was last carried.
    pub(super) fn at(&self, place: Place) -> Option<UnixMillis> {
        match place {
            Place::Shop => self.shop,
            Place::Brand(place) => self.brands[place],
            Place::Node(place) => self.nodes[place],
            Place::Form(place) => self.forms[place],
        }
    }
}
