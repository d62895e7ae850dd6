//! The shop's 100,000 products: three depths of category above them (20, 300, 3,000), 500 brands, prices.
//!
//! Nothing is stored: a product's number says it all. Product 0 is the most wanted.

use std::fmt;
use tzeva_model::{Amount, Category, Item, Name, NameKind};

/// How many products there are.
pub const PRODUCTS: u64 = 100_000;
/// How many categories each depth has, root first.
pub const TOPS: [u64; 3] = [20, 300, 3_000];
/// How many brands there are.
pub const BRANDS: u64 = 500;

/// A product by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product(pub u64);

// === impl Product ===

impl Product {
    /// The numbers of its categories, root first; neighbours in rank lie in different ones.
    #[must_use]
    pub const fn categories(self) -> [u64; 3] {
        let [tops, middles, leaves] = TOPS;
        [self.0 % leaves % middles % tops, self.0 % leaves % middles, self.0 % leaves]
    }

    /// Its category path.
    #[must_use]
    pub fn category(self) -> String {
        let [top, middle, leaf] = self.categories();
        format!("Dept {top}/Aisle {middle}/Shelf {leaf}")
    }

    /// Its brand.
    #[must_use]
    pub fn brand(self) -> String {
        // A stride without common factor, so that brands cut across categories.
        format!("Brand {}", self.0.wrapping_mul(7_919) % 997 % BRANDS)
    }

    /// Its price: from 4.99 to 483.99, always some and 99 hundredths.
    #[must_use]
    pub const fn price(self) -> Amount {
        let step = self.0.wrapping_mul(2_654_435_761) % 480;
        Amount::new((4 + step).cast_signed() * 10_000 + 9_900)
    }

    /// The product that is `step` further in the same leaf category.
    #[must_use]
    pub const fn neighbour(self, step: u64) -> Self {
        Self((self.0 + step * TOPS[2]) % (PRODUCTS - PRODUCTS % TOPS[2]))
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
