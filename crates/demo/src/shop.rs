//! What the shop sells, what people do there, and the calls that its site sends.

use serde_json::{Value, json};
use tzeva_model::{Millis, UnixMillis};

/// Something for sale.
#[derive(Debug)]
pub(crate) struct Product {
    pub id: &'static str,
    pub name: &'static str,
    brand: &'static str,
    category: &'static str,
    price: u32,
}

/// What somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    View(usize),
    Wish(usize),
    Add(usize),
    Buy(Vec<usize>),
}

/// Somebody does something, so long after the shop opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub at: Millis,
    pub who: &'static str,
    pub deed: Deed,
}

/// Everything the shop sells.
pub(crate) const PRODUCTS: [Product; 10] = [
    product(("trail-3", "Trail 3"), "Trailpeak", "Shoes/Running", 129),
    product(("aero-lite", "Aero Lite"), "Northwind", "Shoes/Running", 89),
    product(("city-step", "City Step"), "Northwind", "Shoes/Walking", 79),
    product(("ridge-boot", "Ridge Boot"), "Trailpeak", "Shoes/Hiking", 169),
    product(("rain-shell", "Rain Shell"), "Trailpeak", "Jackets/Rain", 199),
    product(("down-parka", "Down Parka"), "Fjordline", "Jackets/Winter", 249),
    product(("day-pack", "Day Pack 20"), "Fjordline", "Bags/Backpacks", 69),
    product(("tour-pack", "Tour Pack 50"), "Trailpeak", "Bags/Backpacks", 159),
    product(("wool-socks", "Wool Socks"), "Fjordline", "Clothing/Socks", 15),
    product(("cap", "Summit Cap"), "Northwind", "Clothing/Caps", 25),
];

const fn product(
    (id, name): (&'static str, &'static str),
    brand: &'static str,
    category: &'static str,
    price: u32,
) -> Product {
    Product { id, name, brand, category, price }
}

// === impl Product ===

impl Product {
    fn json(&self) -> Value {
        json!({
            "product_id": self.id,
            "name": self.name,
            "brand": self.brand,
            "category": self.category,
            "price": self.price,
            "currency": "EUR",
        })
    }
}

// === impl Act ===

impl Act {
    /// In words, for whoever watches.
    pub fn words(&self) -> String {
        match &self.deed {
            Deed::View(product) => format!("looks at {}", PRODUCTS[*product].name),
            Deed::Wish(product) => format!("wishes for {}", PRODUCTS[*product].name),
            Deed::Add(product) => format!("puts {} into the cart", PRODUCTS[*product].name),
            Deed::Buy(products) => {
                let names: Vec<&str> = products.iter().map(|place| PRODUCTS[*place].name).collect();
                format!("buys {}", names.join(" and "))
            }
        }
    }

    /// True if it belongs to the purchases.
    pub const fn is_purchase(&self) -> bool {
        matches!(self.deed, Deed::Buy(_))
    }

    /// The call that the site sends at `at`, the `number`-th.
    pub fn call(&self, at: UnixMillis, number: u64) -> Value {
        let (event, properties) = match &self.deed {
            Deed::View(product) => ("Product Viewed", PRODUCTS[*product].json()),
            Deed::Wish(product) => ("Product Added To Wishlist", PRODUCTS[*product].json()),
            Deed::Add(product) => ("Product Added", PRODUCTS[*product].json()),
            Deed::Buy(products) => {
                let revenue: u32 = products.iter().map(|place| PRODUCTS[*place].price).sum();
                let lines: Vec<Value> = products.iter().map(|p| PRODUCTS[*p].json()).collect();
                let order = format!("order-{number}");
                let properties = json!({
                    "order_id": order, "revenue": revenue, "currency": "EUR", "products": lines,
                });
                ("Order Completed", properties)
            }
        };
        json!({
            "messageId": format!("demo-{number}"),
            "type": "track",
            "event": event,
            "anonymousId": self.who,
            "timestamp": at.to_string(),
            "properties": properties,
            "context": { "channel": "web" },
        })
    }
}
