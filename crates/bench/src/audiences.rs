//! Audiences to measure with: 35 % counts, 30 % recency, 15 % interest, the rest "since the last"; 60 % with a negation,
//! 10 % with a delay.
//!
//! Each is about one node of the catalogue. The more audiences, the smaller the nodes, so that an event causes about as
//! many changes (0.08 to 0.2 by the oracle) with ten audiences as with ten thousand: rules grow in number, changes don't.

use crate::{PRODUCTS, Product, Random, TOPS};
use std::fmt::Write;

/// What an audience asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Template {
    /// So many views of a node in a window.
    Count,
    /// Put something of a node into the cart, and has been quiet since.
    Recency,
    /// A node's score.
    Interest,
    /// Carts since the last order.
    Since,
}

// === impl Template ===

impl Template {
    /// The template of the audience with this number: by the share of each.
    #[must_use]
    pub const fn of(number: usize) -> Self {
        // 20 in a row: 7 counts, 6 recencies, 3 interests, 4 since.
        match number * 7 % 20 {
            0..7 => Self::Count,
            7..13 => Self::Recency,
            13..16 => Self::Interest,
            _ => Self::Since,
        }
    }
}

/// The paint of the workload, as a document of its own.
#[must_use]
pub fn paint() -> String {
    "paint:\n  half_life: { shop: 30d, brand: 30d, category: 14d, product: 7d }\n  events:\n    \
     product_viewed:  { shop: 1, brand: 1, category: 1, product: 1 }\n    \
     product_added:   { shop: 2, brand: 2, category: 3, product: 5 }\n    \
     order_completed: { shop: 5, brand: 5, category: 4, product: clear }\n  \
     forget_below: 0.05\n"
        .to_owned()
}

/// `count` audiences in one YAML stream, `bench-00000` and on.
#[must_use]
pub fn audiences(seed: u64, count: usize) -> String {
    let mut random = Random::new(seed);
    let mut text = String::new();
    for number in 0..count {
        let (field, node) = node(number, count);
        let separator = if number == 0 { "" } else { "---\n" };
        let _ = write!(text, "{separator}audience: bench-{number:05}\nenter:\n  all:\n");
        enter(&mut text, Template::of(number), (field, &node), &mut random);
        // Six in ten have a negation, one in ten a delay: spread over the templates by steps that share no factor.
        if number * 3 % 10 < 6 {
            let days = 1 + random.below(14);
            let _ = writeln!(
                text,
                "    - not: {{ event: {{ name: order_completed, where: {{ {field}: \"{node}\" }}, \
                 within: {days}d }} }}"
            );
        }
        if number * 7 % 10 == 1 {
            let _ = writeln!(text, "enter_after: {}s", 10 + random.below(50));
        }
    }
    text
}

fn enter(text: &mut String, template: Template, on: (&str, &str), random: &mut Random) {
    let (field, node) = on;
    let filter = format!("where: {{ {field}: \"{node}\" }}");
    let _ = match template {
        Template::Count => {
            let (count, minutes) = (2 + random.below(3), 5 + random.below(55));
            writeln!(
                text,
                "    - event: {{ name: product_viewed, {filter}, count: \">= {count}\", within: {minutes}m }}"
            )
        }
        Template::Recency => {
            let minutes = 5 + random.below(55);
            writeln!(
                text,
                "    - event: {{ name: product_added, {filter}, within: 1d }}\n    \
                 - last: {{ event: product_added, {filter}, is: \">= {minutes}m ago\" }}"
            )
        }
        Template::Interest => {
            let score = 4 + random.below(8);
            writeln!(text, "    - interest: {{ tag: \"{field}/{node}\", is: \">= {score}\" }}")
        }
        Template::Since => {
            let hours = 1 + random.below(23);
            writeln!(
                text,
                "    - event: {{ name: product_added, {filter}, within: {hours}h, \
                 after: last order_completed }}"
            )
        }
    };
}

/// The node of the audience with this number: the deepest level of which there are enough, most wanted first.
fn node(number: usize, count: usize) -> (&'static str, String) {
    let number = number as u64;
    let depth = match count as u64 {
        0..=20 => 0,
        21..=300 => 1,
        301..=3_000 => 2,
        _ => return ("product", Product(number % PRODUCTS).to_string()),
    };
    let product = Product(number % TOPS[depth]);
    if depth == 0 {
        return ("brand", product.brand());
    }
    let path = product.category();
    let parts: Vec<&str> = path.split('/').take(depth).collect();
    ("category", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_have_their_shares() {
        let share = |wanted| (0..1_000).filter(|&n| Template::of(n) == wanted).count();
        assert_eq!(share(Template::Count), 350);
        assert_eq!(share(Template::Recency), 300);
        assert_eq!(share(Template::Interest), 150);
        assert_eq!(share(Template::Since), 200);
        let text = audiences(1, 1_000);
        assert_eq!(text.matches("- not:").count(), 600);
        assert_eq!(text.matches("enter_after:").count(), 100);
    }

    #[test]
    fn the_same_seed_gives_the_same_audiences() {
        assert_eq!(audiences(3, 500), audiences(3, 500));
        assert_ne!(audiences(3, 500), audiences(4, 500));
    }

    #[test]
    fn audiences_of_a_level_have_nodes_of_their_own() {
        for count in [20, 300, 3_000, 10_000] {
            let mut nodes: Vec<_> = (0..count).map(|number| node(number, count)).collect();
            nodes.sort();
            nodes.dedup();
            assert_eq!(nodes.len(), count);
        }
    }
}
