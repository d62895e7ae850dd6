//! Lines in the order of the shop's time. Partitions publish side by side, and what time alone brings about is known a
//! moment later than what somebody does: a line is kept back until nothing earlier is to be expected.

use std::collections::BTreeMap;
use tzeva_model::{Millis, UnixMillis};

/// Lines that are kept back.
pub(crate) struct Order {
    held: BTreeMap<(UnixMillis, u64), String>,
    arrived: u64,
    /// How far behind the shop's time lines are shown: as late as the latest one came, within the bounds.
    behind: Millis,
    longest: Millis,
}

// === impl Order ===

impl Order {
    /// Shows lines `least` late or, if they come late themselves, up to `longest`. Unit: milliseconds of the shop.
    pub(crate) const fn new(least: Millis, longest: Millis) -> Self {
        Self { held: BTreeMap::new(), arrived: 0, behind: least, longest }
    }

    /// Takes in the line of an instant, at `now` in the shop.
    pub(crate) fn take(&mut self, line: String, at: UnixMillis, now: UnixMillis) {
        self.behind = self.behind.max((now - at).min(self.longest));
        self.arrived += 1;
        self.held.insert((at, self.arrived), line);
    }

    /// The lines whose time has come, in order; lines of one instant as they came.
    pub(crate) fn due(&mut self, now: UnixMillis) -> Vec<String> {
        let later = self.held.split_off(&(now - self.behind, u64::MAX));
        std::mem::replace(&mut self.held, later).into_values().collect()
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::mem::take(&mut self.held).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMillis {
        UnixMillis::new(ms)
    }

    #[test]
    fn lines_come_in_order_of_time_and_of_arrival() {
        let mut order = Order::new(Millis::new(100), Millis::new(1_000));
        order.take("late".into(), at(30), at(60));
        order.take("early".into(), at(10), at(70));
        order.take("late, too".into(), at(30), at(80));
        assert_eq!(order.due(at(129)), ["early"]);
        assert_eq!(order.due(at(130)), ["late", "late, too"]);
        assert_eq!(order.rest(), [""; 0]);
    }

    #[test]
    fn a_slow_machine_is_waited_for_but_not_for_ever() {
        let mut order = Order::new(Millis::new(100), Millis::new(1_000));
        order.take("came 400 late".into(), at(600), at(1_000));
        assert_eq!(order.due(at(999)), [""; 0]);
        assert_eq!(order.due(at(1_000)), ["came 400 late"]);
        order.take("came 5,000 late".into(), at(1_000), at(6_000));
        assert_eq!(order.due(at(6_000)), ["came 5,000 late"]);
        order.take("on time".into(), at(6_000), at(6_000));
        assert_eq!(order.due(at(6_999)), [""; 0]);
        assert_eq!(order.due(at(7_000)), ["on time"]);
    }
}
