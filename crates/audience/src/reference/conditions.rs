//! Conditions: the nodes and the leaves.

use super::kind::Kind;
use super::{Chapter, Key, Topic, topic};
use crate::condition::{CONDITION, EVENT, LAST};
use crate::interest::INTEREST;
use crate::leaf::{SEQUENCE, STEP, TRAIT};
use crate::schema::object;
use crate::sum::SUM;
use serde_json::Value;

const WITHIN: &str = "Counts events less than so long ago.";

pub(crate) fn condition_keys() -> Vec<Key> {
    let key = |word, kind, meaning| Key::optional(word, kind, "another one of these", meaning);
    vec![
        key("all", Kind::Conditions, "All of them hold."),
        key("any", Kind::Conditions, "At least one holds."),
        key("not", Kind::Condition, "It doesn't hold."),
        key("event", Kind::Leaf("event"), "So many such events lie in the window."),
        key("sum", Kind::Leaf("sum"), "What such events add up to."),
        key("last", Kind::Leaf("last"), "The last such event is so long ago."),
        key("interest", Kind::Leaf("interest"), "The score of a tag, its rank or its share."),
        key("sequence", Kind::Leaf("sequence"), "Such events came one after the other."),
        key("trait", Kind::Leaf("trait"), "The last known value of a trait."),
        key("in", Kind::Member, "The visitor is a member of this audience."),
    ]
}

pub(crate) fn event_keys() -> Vec<Key> {
    vec![
        Key::needed("name", Kind::Event, "The event's name, such as `product_added`."),
        Key::optional("where", Kind::Where, "every such event", "Which of them."),
        Key::optional("count", Kind::Count, "`\">= 1\"`", "How many: `\">= 3\"`."),
        Key::optional("within", Kind::Span, "`history.max_age`", WITHIN),
        Key::optional(
            "after",
            Kind::After,
            "whenever they came",
            "Only what came after the last NAME; while there is none, everything counts.",
        ),
    ]
}

pub(crate) fn sum_keys() -> Vec<Key> {
    vec![
        Key::optional("event", Kind::Event, "`order_completed`", "The event's name."),
        Key::needed("of", Kind::SumField, "What is added up."),
        Key::needed("is", Kind::Amount, "How the sum compares: `\">= 200\"`."),
        Key::optional(
            "where",
            Kind::Where,
            "every such event",
            "Which events, and which of their items.",
        ),
        Key::optional("within", Kind::Span, "`history.max_age`", WITHIN),
    ]
}

pub(crate) fn last_keys() -> Vec<Key> {
    vec![
        Key::needed("event", Kind::Event, "The event's name."),
        Key::optional("where", Kind::Where, "every such event", "The last of which."),
        Key::needed("is", Kind::Distance, "How long ago: `\">= 1h ago\"`, `\"< 1h ago\"`."),
    ]
}

pub(crate) fn interest_keys() -> Vec<Key> {
    vec![
        Key::needed("tag", Kind::Tag, "What the visitor is interested in."),
        Key::optional(
            "is",
            Kind::Threshold,
            "`rank` or `share`",
            "How the faded score compares: `\">= 6\"`.",
        ),
        Key::optional("rank", Kind::Rank, "`is` or `share`", "Its place in its level: `\"<= 3\"`."),
        Key::optional(
            "share",
            Kind::Share,
            "`is` or `rank`",
            "Its part of its level's interest: `\">= 0.5\"`.",
        ),
    ]
}

pub(crate) fn sequence_keys() -> Vec<Key> {
    vec![
        Key::needed("steps", Kind::Steps, "The events, first to last."),
        Key::optional(
            "span",
            Kind::Span,
            "any distance",
            "The last less than this after the first.",
        ),
        Key::optional("within", Kind::Span, "`history.max_age`", "The last less than so long ago."),
    ]
}

fn step_keys() -> Vec<Key> {
    vec![
        Key::needed("name", Kind::Event, "The event's name."),
        Key::optional("where", Kind::Where, "every such event", "Which of them."),
    ]
}

pub(crate) fn step() -> Value {
    object(&STEP, &step_keys())
}

pub(crate) fn trait_keys() -> Vec<Key> {
    vec![
        Key::needed("name", Kind::Text, "The trait's name, as `identify` sends it."),
        Key::needed("is", Kind::Test, "What it must be: a value, a list, or a comparison."),
    ]
}

pub(crate) fn topics() -> Vec<Topic> {
    let leaf = |word, meaning, keys: Vec<Key>, shape, example| {
        topic(Chapter::Conditions, word, meaning, (&keys, shape), example)
    };
    vec![
        leaf(
            "all",
            "All of the conditions in the list hold. Contradictions within one list are refused.",
            vec![],
            Some(&CONDITION),
            ALL,
        ),
        leaf(
            "any",
            "At least one of the conditions in the list holds. A list that always holds is refused.",
            vec![],
            None,
            ANY,
        ),
        leaf("not", "The condition doesn't hold.", vec![], None, NOT),
        leaf("event", EVENT_MEANS, event_keys(), Some(&EVENT), EVENT_EXAMPLE),
        leaf("sum", SUM_MEANS, sum_keys(), Some(&SUM), SUM_EXAMPLE),
        leaf("last", LAST_MEANS, last_keys(), Some(&LAST), LAST_EXAMPLE),
        leaf("interest", INTEREST_MEANS, interest_keys(), Some(&INTEREST), INTEREST_EXAMPLE),
        leaf("sequence", SEQUENCE_MEANS, sequence_keys(), Some(&SEQUENCE), SEQUENCE_EXAMPLE),
        leaf("trait", TRAIT_MEANS, trait_keys(), Some(&TRAIT), TRAIT_EXAMPLE),
        leaf("in", IN_MEANS, vec![], None, IN_EXAMPLE),
    ]
}

const EVENT_MEANS: &str = "\
So many such events lie in the window. `within: 3d` counts events less than three days old, to the millisecond. `after: last NAME` counts only what
came after the last `NAME`, and `within` holds as well.";
const SUM_MEANS: &str = "\
What such events add up to compares so. Without such an event the sum is 0. A `where` on products adds up what the matching items cost, price ×
quantity. Amounts below nothing, such as a refund's, are subtracted, so a sum may rise when one leaves the window.";
const LAST_MEANS: &str = "\
There is such an event, and the last one is so long ago. `\">= 1h ago\"` begins to hold exactly one hour after the event, with no further event;
`\"< 1h ago\"` ceases to hold then. Both are false while there is no such event.";
const INTEREST_MEANS: &str = "\
Asks one thing of a tag, `is`, `rank` or `share`. A tag that was never painted scores 0. Between two paintings a score halves every half-life, and the
instant at which it crosses a threshold is computed, not polled. Ranks and shares are those within the tag's level: the brands, the products, and the
categories of one depth, so `Shoes` competes with `Food`, never with `Shoes/Running`. A tag that isn't there has no rank, so every comparison of its
rank is false, and the share 0. Neither changes by time alone, since all tags of a level fade alike.";
const SEQUENCE_MEANS: &str = "\
Such events came one after the other, each another event; others may come between.";
const TRAIT_MEANS: &str = "\
The last known value of the trait is so. Traits are what `identify` calls say; of several values the one that was said last counts, by the clock of
the site. A comparison with a trait that isn't known is false; `{ exists: true }` asks whether it is.";
const IN_MEANS: &str = "\
The visitor is a member of another audience of the same folder, from the very instant of the entry to that of the exit. Audiences that are `in` each
other are refused.";

const ALL: &str = r#"
audience: quiet-cart
enter:
  all:
    - event: { name: product_added, within: 3d }
    - last: { event: product_added, is: ">= 1h ago" }
"#;
const ANY: &str = r"
audience: bargain-seekers
enter:
  any:
    - event: { name: coupon_applied, within: 90d }
    - event: { name: product_viewed, where: { category: Sale }, within: 7d }
";
const NOT: &str = r"
audience: not-yet-buyers
enter:
  not: { event: { name: order_completed } }
";
const EVENT_EXAMPLE: &str = r#"
audience: keen-on-shoes
enter:
  event:
    name: product_viewed
    where: { category: Shoes, price: ">= 80" }
    count: ">= 3"
    within: 14d
    after: last order_completed
"#;
const SUM_EXAMPLE: &str = r#"
audience: big-spenders-on-shoes
enter:
  sum: { event: order_completed, of: revenue, is: ">= 200", where: { category: Shoes }, within: 90d }
"#;
const LAST_EXAMPLE: &str = r#"
audience: shoe-buyers-gone-quiet
enter:
  last: { event: order_completed, where: { category: Shoes }, is: ">= 60d ago" }
"#;
const INTEREST_EXAMPLE: &str = r#"
audience: runners
enter:
  all:
    - interest: { tag: category/Shoes/Running, is: ">= 6" }
    - interest: { tag: category/Shoes/Running, rank: "<= 3" }
    - interest: { tag: category/Shoes/Running, share: ">= 0.25" }
"#;
const SEQUENCE_EXAMPLE: &str = r"
audience: straight-to-the-till
enter:
  sequence:
    steps: [ { name: product_viewed, where: { category: Shoes } }, product_added, checkout_started ]
    span: 1h
    within: 7d
";
const TRAIT_EXAMPLE: &str = r"
audience: good-customers
enter:
  trait: { name: tier, is: [gold, platinum] }
";
const IN_EXAMPLE: &str = r"
audience: buyers
enter: { event: { name: order_completed, within: 30d } }
---
audience: buyers-who-look-again
enter:
  all:
    - in: buyers
    - event: { name: product_viewed, within: 1d }
";
