//! One call as a shop's site sends it: the Segment form, and the same as an event.

use crate::Product;
use std::io::Write;
use tzeva_model::{Amount, Currency, Event, EventId, Name, NameKind, UnixMillis, VisitorId};

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The message's id: a repeat has the same.
    pub id: String,
    /// The event as Segment spells it: `Product Added`.
    pub event: &'static str,
    /// The visitor: 36 bytes.
    pub visitor: String,
    /// When the visitor did it.
    pub at: UnixMillis,
    /// What it is about: one product, of an order one or more.
    pub lines: Vec<Line>,
    /// Of an order or a refund.
    pub order: Option<Order>,
    /// `web` or `app`.
    pub channel: &'static str,
    /// Two letters.
    pub country: &'static str,
}

/// A product and how many of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The product.
    pub product: Product,
    /// How many pieces.
    pub quantity: u32,
}

/// What an order has beyond its products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// The sum of price × quantity.
    pub revenue: Amount,
}

// === impl Call ===

impl Call {
    /// Writes it as one JSON object, without a line's end.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        // Writing to a vector never fails.
        let _ = write!(
            out,
            r#"{{"messageId":"{}","type":"track","event":"{}","anonymousId":"{}","timestamp":"{}","properties":{{"#,
            self.id, self.event, self.visitor, self.at,
        );
        match (&self.order, self.lines.first()) {
            (Some(order), _) => self.write_order(out, order),
            (None, Some(line)) => {
                write_product(out, *line);
                let _ = write!(out, r#","currency":"EUR","coupon":null"#);
            }
            (None, None) => {}
        }
        let path = self.lines.first().map(|line| line.product).unwrap_or(Product(0));
        let _ = write!(
            out,
            r#"}},"context":{{"page":{{"path":"/p/{path}"}},"campaign":{{"source":"mail"}},"channel":"{}","location":{{"country":"{}"}}}}}}"#,
            self.channel, self.country,
        );
    }

    /// It as one JSON object.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        self.write_json(&mut out);
        out
    }

    /// It as the event that decoding its JSON gives.
    ///
    /// `None` only if the visitor's id were none, which [`crate::visitor_id`] never makes.
    #[must_use]
    pub fn to_event(&self) -> Option<Event> {
        let pieces = self.lines.iter().map(|line| line.product.item(line.quantity));
        Some(Event {
            visitor: VisitorId::try_new(&self.visitor).ok()?,
            id: EventId::new(&self.id),
            name: Name::new(NameKind::Event, &self.event.to_lowercase().replace(' ', "_")),
            occurred_at: self.at,
            items: pieces.collect(),
            revenue: self.order.as_ref().map(|order| order.revenue),
            currency: Currency::try_new("EUR"),
            coupon: None,
            channel: Some(self.channel.into()),
            country: Some(self.country.into()),
            page_path: None,
            properties: Vec::new(),
            traceparent: None,
            traits: Vec::new(),
        })
    }

    fn write_order(&self, out: &mut Vec<u8>, order: &Order) {
        let (id, revenue) = (&order.id, order.revenue);
        let _ = write!(
            out,
            r#""order_id":"{id}","revenue":{revenue},"total":{revenue},"currency":"EUR","products":["#
        );
        for (place, line) in self.lines.iter().enumerate() {
            let _ = write!(out, "{}{{", if place == 0 { "" } else { "," });
            write_product(out, *line);
            let _ = write!(out, "}}");
        }
        let _ = write!(out, "]");
    }
}

// === impl Line ===

impl Line {
    /// Price × quantity.
    #[must_use]
    pub const fn amount(self) -> Amount {
        self.product.price().times(self.quantity as i64)
    }
}

fn write_product(out: &mut Vec<u8>, line: Line) {
    let Line { product, quantity } = line;
    let _ = write!(
        out,
        r#""product_id":"{product}","sku":"S{}","name":"Article {}","brand":"{}","category":"{}","price":{},"quantity":{quantity}"#,
        product.0,
        product.0,
        product.brand(),
        product.category(),
        product.price(),
    );
}
