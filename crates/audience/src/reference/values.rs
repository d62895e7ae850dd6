//! What values look like.

use super::{Chapter, Topic, topic};

/// A kind of value: its name, what it is, and a document that shows it.
const VALUES: [(&str, &str, &str); 8] = [
    (
        "duration",
        "Whole numbers with their units, `ms s m h d w`, joined from the largest down: `90s`, `1h30m`, `2w`. A day is 24 hours, to the millisecond. \
         There are no months or years: their lengths differ. No duration is longer than `history.max_age` (400 days by default) or `profile.idle`.",
        "audience: example\nenter: { event: { name: product_added, within: 1d12h } }\n",
    ),
    (
        "distance",
        "`>= > < <=`, a duration and `ago`: `\">= 1h ago\"` is an hour ago or longer, `\"< 1h ago\"` less than an hour ago. Less than `history.max_age`.",
        "audience: example\nenter: { last: { event: product_added, is: \">= 1h30m ago\" } }\n",
    ),
    (
        "count",
        "A whole number up to 4294967295, alone or after `>= > < <= =`, or `between 2 and 5`, both ends in. A count beyond `history.max_strokes` (256 by \
         default) is warned of: older events are folded by the day.",
        "audience: example\nenter: { event: { name: product_viewed, count: between 2 and 5, within: 7d } }\n",
    ),
    (
        "amount",
        "A number with up to four decimals, alone or after `>= > < <= =`, or `between 10 and 20.50`, both ends in. Amounts are exact. They are in the \
         home currency, the settings' `money.currency`.",
        "audience: example\nenter: { sum: { of: revenue, is: between 100 and 499.99, within: 90d } }\n",
    ),
    (
        "side",
        "`>= > < <=` before a number. A score fades at every instant and a share is rarely round, so neither is asked for with `=`.",
        "audience: example\nenter: { interest: { tag: brand/Acme, share: \">= 0.5\" } }\n",
    ),
    (
        "tag",
        "`shop`, `brand/NAME`, `category/PATH` or `product/ID`. Some event of the paint must add to tags of its level.",
        "audience: example\nenter: { interest: { tag: product/shoe-1, is: \">= 2\" } }\n",
    ),
    (
        "event name",
        "Folded to snake case: `Product Added`, `ProductAdded` and `product_added` are one event. At least one letter or digit.",
        "audience: example\nenter: { event: { name: Product Added, within: 3d } }\n",
    ),
    (
        "text",
        "Keeps what was typed: `product: 0042` is the product `0042` and `country: NO` is Norway. A value that begins with the word of an operator goes \
         into a list: `[\"between the lines\"]`. A category path is split at `/` and `>`, or as `category_separator` of the settings says.",
        "audience: example\nenter: { event: { name: order_completed, where: { product: 0042, coupon: [\"between the lines\"] } } }\n",
    ),
];

pub(crate) fn topics() -> Vec<Topic> {
    let told =
        |(word, meaning, example)| topic(Chapter::Values, word, meaning, (&[], None), example);
    VALUES.map(told).into()
}
