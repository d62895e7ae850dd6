//! Documents and policies.

use super::kind::{Kind, forget_below};
use super::{Chapter, Key, Topic, topic};
use crate::document::{AUDIENCE, STAY};
use crate::paint_file::PAINT;
use crate::schema::{described, object};
use serde_json::{Value, json};

pub(crate) fn audience_keys() -> Vec<Key> {
    vec![
        Key::needed("audience", Kind::Name, "Its name."),
        Key::optional("describe", Kind::Text, "nothing", "What it is for, for people."),
        Key::optional("owner", Kind::Text, "nobody", "Who answers for it."),
        Key::optional("labels", Kind::Labels, "none", "Free labels."),
        Key::needed("enter", Kind::Condition, "The condition to get in."),
        Key::optional(
            "exit_when",
            Kind::Condition,
            "leave when `enter` ceases to hold",
            "Leave as soon as this holds; then `enter` ceasing to hold ends no stay.",
        ),
        Key::optional(
            "enter_after",
            Kind::Wait,
            "`0s`",
            "How long `enter`, and not `exit_when`, must have held without a gap.",
        ),
        Key::optional("stay", Kind::Stay, "no bounds", "Bounds of a stay."),
        Key::optional(
            "reenter_after",
            Kind::Wait,
            "`0s`",
            "How long after an exit nobody gets in again.",
        ),
    ]
}

pub(crate) fn stay_keys() -> Vec<Key> {
    vec![
        Key::optional(
            "at_least",
            Kind::Wait,
            "`0s`",
            "`enter` ceasing to hold ends no stay before this. Refused beside `exit_when`.",
        ),
        Key::optional(
            "at_most",
            Kind::Span,
            "no bound",
            "The stay ends now; before the next one, `enter` must cease to hold once.",
        ),
    ]
}

pub(crate) fn stay() -> Value {
    object(&STAY, &stay_keys())
}

pub(crate) fn paint_keys() -> Vec<Key> {
    vec![
        Key::needed("half_life", Kind::HalfLives, "In which time a score halves, for each level."),
        Key::needed(
            "events",
            Kind::PaintEvents,
            "What each event adds to the tags it carries, by level; `clear` removes the tag.",
        ),
        Key::optional(
            "forget_below",
            Kind::ForgetBelow,
            "`0.05`",
            "Fainter tags are forgotten when their level is painted; 0 forgets nothing.",
        ),
        Key::optional(
            "falloff",
            Kind::Falloff,
            "each depth gets the whole weight",
            "How much less the depths above a category's leaf get.",
        ),
    ]
}

pub(crate) fn falloff_keys() -> Vec<Key> {
    vec![Key::optional(
        "category",
        Kind::Part,
        "`1`",
        "The part that each depth up gets of the one below it.",
    )]
}

pub(crate) fn tests_keys() -> Vec<Key> {
    vec![
        Key::needed("tests", Kind::Member, "The audience under test."),
        Key::needed("cases", Kind::Cases, "What visitors do, and what comes of it."),
    ]
}

pub(crate) fn case_keys() -> Vec<Key> {
    vec![
        Key::needed("name", Kind::Text, "What the case claims; each of an audience has another."),
        Key::needed("events", Kind::Told, "What one visitor does, in order of time."),
        Key::needed(
            "expect",
            Kind::Changes,
            "All that comes of it, and nothing else; `[]` is nothing.",
        ),
        Key::optional(
            "until",
            Kind::Wait,
            "the last event or expectation",
            "The case goes up to and including this.",
        ),
    ]
}

/// The schema of a mapping whose keys are all told here.
pub(crate) fn schema_of(keys: &[Key]) -> Value {
    let needed: Vec<_> =
        keys.iter().filter(|key| key.left_out.is_none()).map(|key| key.word).collect();
    json!({
        "type": "object",
        "properties": described(keys),
        "required": needed,
        "additionalProperties": false,
    })
}

pub(crate) fn topics() -> Vec<Topic> {
    debug_assert_eq!(forget_below(), "0.05", "the table of `paint` tells another default");
    let document = |word, meaning, keys: &[Key], shape, example| {
        topic(Chapter::Documents, word, meaning, (keys, shape), example)
    };
    let mut topics = vec![
        document("audience", AUDIENCE_MEANS, &audience_keys(), Some(&AUDIENCE), CART),
        document("paint", PAINT_MEANS, &paint_keys(), Some(&PAINT), PAINTED),
        document("tests", TESTS_MEAN, &[tests_keys(), case_keys()].concat(), None, TESTED),
    ];
    topics.extend(POLICIES.map(|(word, meaning, example)| {
        topic(Chapter::Policies, word, meaning, (&[], None), example)
    }));
    topics
}

const AUDIENCE_MEANS: &str = "\
A statement about visitors, and when they get in and out. It has a version, eight hex digits made from its name, its conditions and its policies:
comments, blanks, the order of keys and the words for people don't change it. What the policies do is on [their page](policies.md).";

const PAINT_MEANS: &str = "\
How events mark visitors; exactly one in a rule set. An event adds its weight to each distinct tag it carries, once. A category path paints each of
its depths, `Shoes` and `Shoes/Running`. Between two paintings a score halves every half-life. A level that is not named is not painted.";

const TESTS_MEAN: &str = "\
Stories of one visitor each, run by `tzeva audience test` through the engine that also decides live. A document of tests names one audience; an
audience may have several. `name`, `events`, `expect` and `until` are keys of a case.

* **An event** is `OFFSET NAME key=value ...`. The offset is a duration from the beginning of the case. Keys are `product`, `category`, `brand`,
  `price`, `quantity`, `revenue`, `coupon`, `channel`, `country`, `page.path`, `properties.NAME`, `traits.NAME` (of an `identify`) and `id` (to
  repeat an event). A currency may stand behind a `price` or a `revenue`: `price=80 EUR`.
* A value with blanks stands in double quotes: `brand=\"Red Wing\"`; `\\\"` is a quote in it. A property or trait is a number or `true`/`false` if it
  looks like one and has no quotes.
* A key of a product that stands for the second time begins the next product: `product=a price=10 product=b price=20` is an order of two.
* If time alone would change something after `until`, that is warned of.

Events become what a producer would send and go through the same decoder, so a test means what production means. A failing case is shown as a
timeline, with the rule's tree at the first difference. `--watch` runs anew when a file changes, `--filter TEXT` runs some cases, `--junit FILE` writes
the results for a build server, `--output json` for programs. Exit 1 if a case fails, a file is refused or the filter finds none. `tzeva audience check` reads tests too,
without running them; `run` and `backtest` pass them over.";

const CART: &str = r#"
audience: abandoned-cart
describe: Put something in the cart, quiet for an hour, has not bought.
owner: crm@shop.example
labels: { team: crm, tier: gold }
enter:
  all:
    - event: { name: product_added, within: 3d }
    - last:  { event: product_added, is: ">= 1h ago" }
    - not:
        event: { name: order_completed, after: last product_added }
exit_when:
  event: { name: order_completed, after: last product_added }
enter_after: 5m
stay: { at_most: 7d }
reenter_after: 1d
"#;

const PAINTED: &str = r"
paint:
  half_life: { shop: 30d, brand: 30d, category: 14d, product: 7d }
  events:
    page_viewed:     { shop: 1 }
    product_viewed:  { shop: 1, brand: 1, category: 1, product: 1 }
    product_added:   { shop: 2, brand: 2, category: 3, product: 5 }
    order_completed: { shop: 5, brand: 5, category: 4, product: clear }
  forget_below: 0.05
  falloff: { category: 0.5 }
---
audience: runners
enter: { interest: { tag: category/Shoes/Running, is: '>= 3' } }
";

const TESTED: &str = r#"
audience: quiet-cart
enter:
  all:
    - last: { event: product_added, is: ">= 1h ago" }
    - not: { event: { name: order_completed, after: last product_added } }
stay: { at_most: 7d }
---
tests: quiet-cart
cases:
  - name: quiet for an hour enters exactly then, a purchase takes them out at once
    events:
      - 0s   product_added   product=shoe-1 category=Shoes/Running price=80 EUR
      - 2h   order_completed product=shoe-1 revenue=80 EUR
    expect:
      - 1h entered
      - 2h exited
    until: 10d
"#;

/// Word, meaning, example; the pictures are in docs/semantics.md.
const POLICIES: [(&str, &str, &str); 6] = [
    (
        "enter",
        "The condition to get in. Without `exit_when` the visitor also leaves when it ceases to hold.",
        "audience: buyers\nenter: { event: { name: order_completed, within: 30d } }\n",
    ),
    (
        "exit_when",
        "Leave as soon as this holds, whatever the other policies say. With it, `enter` ceasing to hold ends no stay; so give `stay.at_most` as well, or \
         a condition that time makes true.",
        "audience: lookers\nenter: { event: { name: product_viewed, within: 1d } }\n\
         exit_when: { event: { name: order_completed, after: last product_viewed } }\nstay: { at_most: 14d }\n",
    ),
    (
        "enter_after",
        "Get in only when `enter`, and not `exit_when`, has held for so long without a gap. Any instant at which it doesn't starts the wait anew.",
        "audience: settled-fans\nenter: { interest: { tag: brand/Acme, is: \">= 5\" } }\nenter_after: 2h\n",
    ),
    (
        "stay.at_least",
        "`enter` ceasing to hold ends no stay before this. If it doesn't hold then, the visitor leaves then. Refused beside `exit_when`, which ends a \
         stay at once.",
        "audience: lookers\nenter: { event: { name: product_viewed, count: \">= 3\", within: 1h } }\nstay: { at_least: 1d }\n",
    ),
    (
        "stay.at_most",
        "The stay ends now, though `enter` may still hold. Such an exit disarms: `enter` must cease to hold once before the next entry.",
        "audience: lookers\nenter: { event: { name: product_viewed, within: 30d } }\nstay: { at_most: 7d }\n",
    ),
    (
        "reenter_after",
        "After an exit nobody gets in again before this. The wait of `enter_after` runs meanwhile.",
        "audience: lookers\nenter: { event: { name: product_viewed, within: 1h } }\nreenter_after: 1d\n",
    ),
];
