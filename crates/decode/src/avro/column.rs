//! The columns of the published schemas: what each is called, what it may hold, and which field of the call it fills.

use crate::call::{Call, Product, Scalar};

/// A field of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    MessageId,
    Kind,
    Event,
    Timestamp,
    AnonymousId,
    UserId,
    OrderId,
    ProductId,
    Sku,
    Brand,
    Category,
    Price,
    Quantity,
    Revenue,
    Total,
    Currency,
    Coupon,
    Channel,
    Country,
    PagePath,
    Products,
    Properties,
    Traits,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Text,
    Number,
    Whole,
    Instant,
    Products,
    Map,
}

// === impl Column ===

impl Column {
    /// The column of a published field.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "message_id" => Self::MessageId,
            "type" => Self::Kind,
            "event" => Self::Event,
            "timestamp" => Self::Timestamp,
            "anonymous_id" => Self::AnonymousId,
            "user_id" => Self::UserId,
            "order_id" => Self::OrderId,
            "product_id" => Self::ProductId,
            "sku" => Self::Sku,
            "brand" => Self::Brand,
            "category" => Self::Category,
            "price" => Self::Price,
            "quantity" => Self::Quantity,
            "revenue" => Self::Revenue,
            "total" => Self::Total,
            "currency" => Self::Currency,
            "coupon" => Self::Coupon,
            "channel" => Self::Channel,
            "country" => Self::Country,
            "page_path" => Self::PagePath,
            "products" => Self::Products,
            "properties" => Self::Properties,
            "traits" => Self::Traits,
            _ => return None,
        })
    }

    /// What it holds.
    pub(crate) const fn class(self) -> Class {
        match self {
            Self::Timestamp => Class::Instant,
            Self::Price | Self::Revenue | Self::Total => Class::Number,
            Self::Quantity => Class::Whole,
            Self::Products => Class::Products,
            Self::Properties | Self::Traits => Class::Map,
            _ => Class::Text,
        }
    }

    pub(super) fn set<'a>(self, call: &mut Call<'a>, scalar: Scalar<'a>) {
        match self {
            Self::MessageId => call.message_id = scalar,
            Self::Kind => call.kind = scalar,
            Self::Event => call.event = scalar,
            Self::Timestamp => call.timestamp = scalar,
            Self::AnonymousId => call.anonymous_id = scalar,
            Self::UserId => call.user_id = scalar,
            Self::OrderId => call.order_id = scalar,
            Self::Revenue => call.revenue = scalar,
            Self::Total => call.total = scalar,
            Self::Currency => call.currency = scalar,
            Self::Coupon => call.coupon[0] = scalar,
            Self::Channel => call.channel[0] = scalar,
            Self::Country => call.country[0] = scalar,
            Self::PagePath => call.page_path[0] = scalar,
            _ => self.set_product(&mut call.own, scalar),
        }
    }

    pub(super) fn set_product<'a>(self, product: &mut Product<'a>, scalar: Scalar<'a>) {
        match self {
            Self::ProductId => product.product_id = scalar,
            Self::Sku => product.sku = scalar,
            Self::Brand => product.brand = scalar,
            Self::Category => product.category = scalar,
            Self::Price => product.price = scalar,
            Self::Quantity => product.quantity = scalar,
            _ => {}
        }
    }
}

// === impl Class ===

impl Class {
    /// Tells whether such a column may hold `scalar`.
    pub(super) const fn admits(self, scalar: Scalar<'_>) -> bool {
        match (self, scalar) {
            (_, Scalar::Absent)
            | (Self::Text, Scalar::Text(_))
            | (Self::Whole | Self::Number, Scalar::Long(_))
            | (Self::Number, Scalar::Float(_) | Scalar::Double(_) | Scalar::Decimal { .. })
            | (Self::Instant, Scalar::Instant(_)) => true,
            (Self::Map, scalar) => !matches!(scalar, Scalar::Composite(_)),
            _ => false,
        }
    }
}
