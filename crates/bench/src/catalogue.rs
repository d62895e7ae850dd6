//! The shop's catalogue in four levels, the four that an event is about: 20 brands, 300 categories, 3,000 subcategories,
//! 100,000 products; and prices.
//!
//! It is a tree: a brand has 15 categories of its own, a category 10 subcategories, a subcategory 33 or 34 products. So an
//! event names one node of each level, and somebody with two or three interests knows two or three brands, not dozens.
//! Nothing is stored: a product's number says it all. Product 0 is the most wanted.

use std::fmt;
use tzeva_model::{Amount, Category, Item, Name, NameKind};

/// How many products there are.
pub const PRODUCTS: u64 = 100_000;
/// How many nodes each level above them has: brands, categories, subcategories.
pub const TOPS: [u64; 3] = [20, 300, 3_000];
/// Products that every subcategory has at least.
pub const SHELF: u64 = PRODUCTS / TOPS[2];

/// A product by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product(pub u64);

// === impl Product ===

impl Product {
    /// The numbers of its brand, category and subcategory; neighbours in rank lie in different ones.
    #[must_use]
    pub const fn nodes(self) -> [u64; 3] {
        let [tops, middles, leaves] = TOPS;
        [self.0 % leaves % middles % tops, self.0 % leaves % middles, self.0 % leaves]
    }

    /// Its category path.
    #[must_use]
    pub fn category(self) -> String {
        let [_, middle, leaf] = self.nodes();
        format!("Department {middle}/Article group {leaf}")
    }

    /// Its brand.
    #[must_use]
    pub fn brand(self) -> String {
        format!("Brand {}", self.nodes()[0])
    }

    /// Its price: from 4.99 to 483.99, always some and 99 hundredths.
    #[must_use]
    pub const fn price(self) -> Amount {
        let step = self.0.wrapping_mul(2_654_435_761) % 480;
        Amount::new((4 + step).cast_signed() * 10_000 + 9_900)
    }

    /// The one of its subcategory that is wanted most but `rank`; a rank is below [`SHELF`].
    #[must_use]
    pub const fn neighbour(self, rank: u64) -> Self {
        Self(self.0 % TOPS[2] + rank % SHELF * TOPS[2])
    }

    /// It, as an event's item.
    #[must_use]
    pub fn item(self, quantity: u32) -> Item {
        Item {
            product: Some(Name::new(NameKind::Product, &self.to_string())),
            brand: Some(Name::new(NameKind::Brand, &self.brand())),
            category: Category::from_parts(self.category().split('/')),
            price: Some(self.price()),
            quantity: Some(quantity),
        }
    }
}

impl fmt::Display for Product {
    /// Writes its id, `p-42`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p-{}", self.0)
    }
}
