//! Who does what when: visits begin at a steady rate, run on side by side, and what happens in them comes out in the
//! order in which it is recorded.

use crate::{Call, Line, Order, PRODUCTS, Product, Random, SHELF, Zipf};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use tzeva_model::{Amount, Millis, UnixMillis};

/// What to make; everything follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// How many visitors there are; the k-th comes as often as k^-0.8.
    pub visitors: u64,
    /// How many records to make, repeats included.
    pub events: u64,
    /// When the first visit begins.
    pub start: UnixMillis,
    /// How long it takes for as many visits to begin as hold `events` records: short means busy.
    pub span: Millis,
    /// The mean time between two events of a visit.
    pub gap: Millis,
}

/// Which source topic a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Site visits: views and carts.
    Visits,
    /// Purchases: orders and refunds.
    Purchases,
}

/// A record.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// When the topic gets it; never decreases.
    pub record_time: UnixMillis,
    /// Which topic.
    pub topic: Topic,
    /// What it holds.
    pub call: Call,
}

/// The records of a plan, in order.
#[derive(Clone, Debug)]
pub struct Traffic {
    plan: Plan,
    random: Random,
    visitors: Zipf,
    products: Zipf,
    /// Ranks within a subcategory.
    shelf: Zipf,
    next_visit: UnixMillis,
    /// What happens next, by (instant, number); the number makes the order whole.
    agenda: BinaryHeap<Reverse<(UnixMillis, u64, Next)>>,
    made: u64,
    numbered: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    /// An event of a visit.
    Step(Visit),
    /// A refund of an order.
    Refund { visitor: u64, lines: Vec<(u64, u32)>, order: u64 },
    /// The same call again.
    Repeat(Box<Repeat>),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Visit {
    visitor: u64,
    interests: [u64; 3],
    /// The product looked at last.
    last: Option<u64>,
    cart: Vec<u64>,
}

/// A call that is sent twice; compared by its number alone.
#[derive(Clone, Debug)]
struct Repeat(u64, Topic, Call);

// === impl Plan ===

impl Plan {
    /// Records a visit has on average.
    pub const VISIT: u64 = 8;

    /// A plan of this size with 40 s gaps, over the two weeks from 2026-01-01T00:00:00Z on: whoever sends it at full speed
    /// sees windows of minutes, hours and days run out.
    #[must_use]
    pub fn sized(seed: u64, visitors: u64, events: u64) -> Self {
        Self {
            seed,
            visitors,
            events,
            start: UnixMillis::new(1_767_225_600_000),
            span: Millis::DAY.times(14),
            gap: Millis::SECOND.times(40),
        }
    }
}

// === impl Traffic ===

impl Traffic {
    /// The records of `plan`.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self {
            random: Random::new(plan.seed),
            visitors: Zipf::new(plan.visitors, 0.8),
            products: Zipf::new(PRODUCTS, 0.9),
            shelf: Zipf::new(SHELF, 0.9),
            next_visit: plan.start,
            agenda: BinaryHeap::new(),
            made: 0,
            numbered: 0,
            plan,
        }
    }

    fn schedule(&mut self, at: UnixMillis, next: Next) {
        self.numbered += 1;
        self.agenda.push(Reverse((at, self.numbered, next)));
    }

    /// Begins the visits that come before whatever else comes next.
    fn begin_visits(&mut self) {
        let between = self.plan.span.get() * Plan::VISIT.cast_signed();
        let between = between / self.plan.events.max(1).cast_signed();
        while self.agenda.peek().is_none_or(|Reverse((at, ..))| *at >= self.next_visit) {
            let visitor = self.visitors.draw(&mut self.random);
            // A visitor's interests are the same at each visit.
            let mut own = Random::of_part(self.plan.seed, visitor);
            let mut interests = [0; 3].map(|_: u64| self.products.draw(&mut own) - 1);
            if own.per_mille(500) {
                interests[2] = interests[1];
            }
            let visit = Visit { visitor, interests, last: None, cart: Vec::new() };
            self.schedule(self.next_visit, Next::Step(visit));
            self.next_visit = self.next_visit + Millis::new(self.random.wait(between));
        }
    }

    /// One event of a visit, and what comes after it.
    ///
    /// An interest is a product and its subcategory: half of the views are of that product, half of any of its
    /// subcategory, by Zipf 0.9 as among all. Into the cart goes what was looked at last.
    fn step(&mut self, now: UnixMillis, mut visit: Visit) -> (Topic, Call) {
        let anchor = Product(visit.interests[self.pick(3)]);
        let product = match self.random.per_mille(500) {
            true => anchor,
            false => anchor.neighbour(self.shelf.draw(&mut self.random) - 1),
        };
        let visitor = visit.visitor;
        let (topic, call) = match self.random.below(100) {
            0..85 => {
                visit.last = Some(product.0);
                (Topic::Visits, self.call(now, "Product Viewed", visitor, vec![one(product)]))
            }
            85..95 => {
                let wanted = visit.last.map_or(product, Product);
                visit.cart.push(wanted.0);
                (Topic::Visits, self.call(now, "Product Added", visitor, vec![one(wanted)]))
            }
            _ => {
                let cart = std::mem::take(&mut visit.cart);
                (Topic::Purchases, self.order(now, visitor, product, cart))
            }
        };
        // A visit goes on with a chance of 7 in 8: 8 events on average.
        if self.random.below(Plan::VISIT) != 0 {
            let gap = self.random.wait(self.plan.gap.get());
            self.schedule(now + Millis::new(gap), Next::Step(visit));
        }
        (topic, call)
    }

    /// An order of what is in the cart, else of the product at hand; one in twenty is refunded some time later.
    fn order(&mut self, now: UnixMillis, visitor: u64, at_hand: Product, cart: Vec<u64>) -> Call {
        let mut lines: Vec<Line> = cart.into_iter().map(|number| one(Product(number))).collect();
        if lines.is_empty() {
            lines.push(one(at_hand));
        }
        lines[0].quantity += u32::from(self.random.per_mille(200));
        let number = self.numbered;
        if self.random.per_mille(50) {
            let later = self.random.wait(self.plan.gap.times(200).get());
            let lines = lines.iter().map(|line| (line.product.0, line.quantity)).collect();
            let refund = Next::Refund { visitor, lines, order: number };
            self.schedule(now + Millis::new(later), refund);
        }
        let mut call = self.call(now, "Order Completed", visitor, lines);
        call.order = Some(order(number, &call.lines, false));
        call
    }

    fn call(
        &mut self,
        at: UnixMillis,
        event: &'static str,
        visitor: u64,
        lines: Vec<Line>,
    ) -> Call {
        let id = uuid(Random::of_part(self.plan.seed ^ 1, self.made));
        let app = visitor.is_multiple_of(3);
        let countries = ["DE", "FR", "GB", "IE", "IL", "NL", "PL", "SE"];
        Call {
            id,
            event,
            visitor: visitor_id(self.plan.seed, visitor),
            at,
            lines,
            order: None,
            channel: if app { "app" } else { "web" },
            country: countries[usize::try_from(visitor % 8).unwrap_or(0)],
        }
    }

    fn pick(&mut self, end: u64) -> usize {
        usize::try_from(self.random.below(end)).unwrap_or(0)
    }
}

impl Iterator for Traffic {
    type Item = Sent;

    fn next(&mut self) -> Option<Sent> {
        if self.made == self.plan.events {
            return None;
        }
        self.begin_visits();
        let Reverse((now, _, next)) = self.agenda.pop()?;
        let (topic, mut call) = match next {
            Next::Step(visit) => self.step(now, visit),
            Next::Refund { visitor, lines, order: number } => {
                let line = |(product, quantity)| Line { product: Product(product), quantity };
                let lines = lines.into_iter().map(line).collect();
                let mut call = self.call(now, "Order Refunded", visitor, lines);
                call.order = Some(order(number, &call.lines, true));
                (Topic::Purchases, call)
            }
            Next::Repeat(repeat) => {
                self.made += 1;
                return Some(Sent { record_time: now, topic: repeat.1, call: repeat.2 });
            }
        };
        if self.random.per_mille(10) {
            call.at = call.at - Millis::new(self.random.below(60_000).cast_signed() + 1);
        }
        if self.random.per_mille(1) {
            let later = Millis::new(self.random.below(60_000).cast_signed());
            let repeat = Repeat(self.made, topic, call.clone());
            self.schedule(now + later, Next::Repeat(Box::new(repeat)));
        }
        self.made += 1;
        Some(Sent { record_time: now, topic, call })
    }
}

// === impl Repeat ===

impl PartialEq for Repeat {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Repeat {}

impl PartialOrd for Repeat {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Repeat {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

fn one(product: Product) -> Line {
    Line { product, quantity: 1 }
}

fn order(number: u64, lines: &[Line], refund: bool) -> Order {
    let revenue: Amount = lines.iter().map(|line| line.amount()).sum();
    Order { id: format!("o-{number}"), revenue: if refund { -revenue } else { revenue } }
}

/// The id of the visitor with this number: 36 bytes that look like a UUID.
#[must_use]
pub fn visitor_id(seed: u64, number: u64) -> String {
    uuid(Random::of_part(seed ^ 2, number))
}

fn uuid(mut random: Random) -> String {
    let (high, low) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests;
