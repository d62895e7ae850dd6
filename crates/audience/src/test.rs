//! `where`: tests on the fields of an event.

use std::borrow::Cow;
use tzeva_model::{Amount, Name};

/// The tests of one `where`, all of which must hold: those about a product by one and the same item, the others by the
/// event itself. An event without items fails every product test. Empty: every event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Where {
    /// Tests about one item: product, category, brand, price, quantity.
    pub item: Vec<FieldTest>,
    /// Tests about the event: revenue, coupon, channel, country, page.path, properties.
    pub event: Vec<FieldTest>,
}

/// One field and what it must be.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldTest {
    /// The field.
    pub field: Field,
    /// The test.
    pub test: Test,
}

/// A field of an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The product's id.
    Product,
    /// The category path or anything below it.
    Category,
    /// The brand.
    Brand,
    /// The price of one piece.
    Price,
    /// The number of pieces; absent counts as 1.
    Quantity,
    /// What the event earned.
    Revenue,
    /// The coupon.
    Coupon,
    /// The channel.
    Channel,
    /// The country.
    Country,
    /// The page's path: with `*` a glob, else a prefix at `/`.
    PagePath,
    /// A kept property.
    Property(Box<str>),
}

/// What a field must be. A comparison with a missing field is false, also `NotIn`.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// One of these names: product, brand; of a category: one of these paths or below.
    In(Vec<Name>),
    /// None of these names, and the field is there.
    NotIn(Vec<Name>),
    /// One of these texts, exactly; of a page path: matched by one of these patterns.
    TextIn(Vec<Box<str>>),
    /// A text, and none of these; of a page path: matched by none of these patterns.
    TextNotIn(Vec<Box<str>>),
    /// Begins so.
    StartsWith(Box<str>),
    /// Lies between, both ends in where they are inclusive; a missing end is open. Quantity in whole pieces × 10,000.
    Number {
        /// The lower end and whether it is in.
        low: Option<(Amount, bool)>,
        /// The upper end and whether it is in.
        high: Option<(Amount, bool)>,
    },
    /// A number, and none of these.
    NumberNotIn(Vec<Amount>),
    /// Is one of these numbers.
    NumberIn(Vec<Amount>),
    /// Is there (true) or is not (false).
    Exists(bool),
    /// Is true or false.
    Bool(bool),
}

// === impl Field ===

impl Field {
    /// Its name, as rules write it.
    #[must_use]
    pub fn word(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Property(name) => return Cow::Owned(format!("properties.{name}")),
            Self::Product => "product",
            Self::Category => "category",
            Self::Brand => "brand",
            Self::Price => "price",
            Self::Quantity => "quantity",
            Self::Revenue => "revenue",
            Self::Coupon => "coupon",
            Self::Channel => "channel",
            Self::Country => "country",
            Self::PagePath => "page.path",
        })
    }
}
