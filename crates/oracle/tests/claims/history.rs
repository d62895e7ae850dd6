//! History is finite: what is folded counts as at its cell's last instant, and says so.

use crate::given::*;
use tzeva_audience::{Audience, Compare, CountTest, Field, Leaf, Node};
use tzeva_model::Millis;
use tzeva_oracle::Settings;

const AT_LEAST_TWO: CountTest = CountTest::Is(Compare::AtLeast, 2);

fn short(max_strokes: usize) -> Settings {
    Settings { max_strokes, ..Settings::default() }
}

fn filtered(filter: tzeva_audience::Where) -> Audience {
    let mut leaf = leaf("x", AT_LEAST_TWO, Some(2 * D));
    leaf.filter = filter;
    audience("a", Node::Leaf(Leaf::Event(leaf)))
}

#[test]
fn folded_events_count_as_at_their_cells_last_instant() {
    let rules = rules(vec![audience("a", counted("x", AT_LEAST_TWO, 5 * H))]);
    // Kept: the x at 2h. Folded: those at 0 and 1h, which both count until 6h.
    let events = [event(0, "x"), event(H, "x"), event(2 * H, "x")];
    assert_eq!(
        told_of(&rules, &short(1), &events),
        ["1h v entered a, event Leaf(0), not exact", "6h v exited a, deadline Leaf(0), not exact",]
    );
}

#[test]
fn a_day_of_its_own_is_a_cell_of_its_own() {
    let rules = rules(vec![audience("a", counted("x", AT_LEAST_TWO, 20 * H))]);
    // 10:00 and 23:59 of one day, 00:01 of the next: the first two count until 19:59, though one is older.
    let midnight = 14 * H;
    let events = [event(0, "x"), event(midnight - M, "x"), event(midnight + M, "x")];
    let changes = told_of(&rules, &short(1), &events);
    assert_eq!(changes[1], "1d9h59m v exited a, deadline Leaf(0), not exact");
}

#[test]
fn a_flood_of_page_views_pushes_out_no_purchase() {
    let mut events = vec![event(0, "order_completed")];
    events.extend((1..20).map(|minute| event(minute * M, "page_viewed")));
    let rules = rules(vec![audience("a", ever("order_completed"))]);
    assert_eq!(told_of(&rules, &short(4), &events), ["0s v entered a, event Leaf(0)"]);
}

#[test]
fn cells_answer_for_a_product_and_for_no_other_test() {
    let events: Vec<_> = (0..4).map(|hour| with(event(hour * H, "x"), &["shoe"])).collect();
    let by_product = rules(vec![filtered(item_is(Field::Product, vec![product("shoe")]))]);
    let changes = told_of(&by_product, &short(1), &events);
    assert_eq!(changes[0], "1h v entered a, event Leaf(0), not exact");
    let two = vec![product("shoe"), product("hat")];
    let by_two = rules(vec![filtered(item_is(Field::Product, two))]);
    assert_eq!(told_of(&by_two, &short(1), &events), [""; 0]);
}

#[test]
fn a_folded_y_still_is_the_last_y() {
    let events = [event(0, "x"), event(H, "y"), event(2 * H, "z"), event(3 * H, "y")];
    let rules = rules(vec![audience("a", since("x", "y"))]);
    assert_eq!(
        told_of(&rules, &short(2), &events),
        ["0s v entered a, event Leaf(0)", "1h v exited a, event Leaf(0)"]
    );
}

#[test]
fn what_is_older_than_the_history_kept_counts_for_nothing() {
    let settings = Settings { max_age: Millis::DAY, ..Settings::default() };
    let rules = rules(vec![audience("a", last("x", true, H))]);
    let changes = told_of(&rules, &settings, &[event(0, "x"), event(5 * H, "y")]);
    assert_eq!(changes, ["1h v entered a, deadline Leaf(0)", "1d v exited a, deadline Leaf(0)"]);
}

#[test]
fn merged_items_keep_category_and_pieces_and_lose_the_product() {
    let settings = Settings { max_total_items: 2, ..Settings::default() };
    let orders = || {
        let mut first = with_categories(event(0, "x"), &["Shoes/Running", "Shoes/Running"]);
        first.event.items[0].product = Some(product("shoe"));
        let second = with_categories(event(H, "x"), &["Hats", "Shoes"]);
        [first, second]
    };
    let shoe = item_is(Field::Product, vec![product("shoe")]);
    let mut wanted = leaf("x", AT_LEAST_ONE, None);
    wanted.filter = shoe;
    let by_product = rules(vec![audience("a", Node::Leaf(Leaf::Event(wanted.clone())))]);
    assert_eq!(
        told_of(&by_product, &settings, &orders()),
        ["0s v entered a, event Leaf(0)", "1h v exited a, event Leaf(0)"]
    );
    let running = tzeva_model::Name::new(tzeva_model::NameKind::Category, "Shoes/Running");
    wanted.filter = item_is(Field::Category, vec![running]);
    let by_category = rules(vec![audience("a", Node::Leaf(Leaf::Event(wanted)))]);
    assert_eq!(told_of(&by_category, &settings, &orders()), ["0s v entered a, event Leaf(0)"]);
}

#[test]
fn a_flood_of_views_makes_room_among_its_own_cells_and_leaves_purchases() {
    // One event is kept, so all others fold: nine days of views, behind a single purchase on the first day.
    let settings = Settings { max_strokes: 1, max_cells: 4, ..Settings::default() };
    let at_least = |name: &str, event: &str, count| {
        let count = CountTest::Is(Compare::AtLeast, count);
        audience(name, Node::Leaf(Leaf::Event(leaf(event, count, None))))
    };
    let audiences = vec![
        at_least("bought", "buy", 1),
        at_least("four", "view", 4),
        at_least("five", "view", 5),
    ];
    let mut inputs = vec![event(0, "buy")];
    inputs.extend((1..10).map(|day| event(day * D, "view")));
    // Three days of views have a cell beside that of the purchase, and the last view is kept.
    let told = told_of(&rules(audiences), &settings, &inputs);
    assert_eq!(
        told,
        ["0s v entered bought, event Leaf(0)", "4d v entered four, event Leaf(0), not exact"]
    );
}
