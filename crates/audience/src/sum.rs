//! The leaf `sum`.

use crate::check::{Checker, Shape, ZeroOk, shortened};
use crate::code::Code;
use crate::compare::Operation;
use crate::tree::Tree;
use crate::{AmountTest, Field, SumLeaf};
use tzeva_model::{Amount, Name};

pub(crate) const SUM: Shape = Shape {
    noun: "a `sum` condition",
    keys: &["event", "of", "is", "where", "within"],
    later: &["per", "after"],
};
/// The event of which sums are taken if none is named.
const EVENT: &str = "order_completed";
/// The largest amount to compare with: sums of many such stay exact.
const MOST: i64 = i64::MAX / 1_000_000;

impl Checker<'_> {
    pub(crate) fn sum(&mut self, tree: &Tree) -> Option<SumLeaf> {
        let entries = self.entries(tree, &SUM)?;
        let event = match entries.get("event") {
            Some(tree) => self.event_text(tree),
            None => Some(Name::event(EVENT)),
        };
        let of = self.required(&entries, "of", "a `sum` condition");
        let of = of.and_then(|tree| self.summed(tree));
        let filter = self.filter(&entries);
        let is = self.required(&entries, "is", "a `sum` condition");
        let is = is.and_then(|tree| self.amount_test(tree, of.as_ref()));
        let within = match entries.get("within") {
            Some(tree) => self.duration(tree, "`within`", ZeroOk::No).map(Some),
            None => Some(None),
        };
        Some(SumLeaf { event: event?, filter: filter?, of: of?, is: is?, within: within? })
    }

    /// A field that holds numbers.
    fn summed(&mut self, tree: &Tree) -> Option<Field> {
        let text = self.text(tree, "what to add up, such as `revenue`")?;
        let field = self.field(text, tree.at)?;
        let adds_up =
            matches!(field, Field::Revenue | Field::Quantity | Field::Price | Field::Property(_));
        if !adds_up {
            let message = format!("`{}` holds no number, so it has no sum", shortened(text));
            let help = "add up revenue, quantity, price or a kept `properties.NAME`";
            self.refuse(Code::BadSumField, tree.at, message, help);
            return None;
        }
        Some(field)
    }

    /// `>= 200`, `between 10 and 20`, or a bare number.
    fn amount_test(&mut self, tree: &Tree, of: Option<&Field>) -> Option<AmountTest> {
        let text = self.comparison(tree, "a comparison such as \">= 200\"")?;
        let (low, high) = match Operation::parse(text) {
            Ok(Operation::AtLeast(value)) => (Some((value, true)), None),
            Ok(Operation::MoreThan(value)) => (Some((value, false)), None),
            Ok(Operation::AtMost(value)) => (None, Some((value, true))),
            Ok(Operation::LessThan(value)) => (None, Some((value, false))),
            Ok(Operation::Equal(value) | Operation::Bare(value)) => {
                (Some((value, true)), Some((value, true)))
            }
            Ok(Operation::Between(low, high)) => (Some((low, true)), Some((high, true))),
            _ => {
                let message = format!("`{}` doesn't compare a sum", shortened(text));
                let help = "use >= > < <= = before a number, or `between 10 and 20`";
                self.refuse(Code::BadComparison, tree.at, message, help);
                return None;
            }
        };
        let end = |this: &mut Self, end: Option<(&str, bool)>| match end {
            Some((value, is_in)) => this.summand(value, tree, of).map(|v| Some((v, is_in))),
            None => Some(None),
        };
        // What is one value is told of once.
        let (low, high) = match (low, high) {
            (low, high) if low == high => {
                let value = end(self, low);
                (value, value)
            }
            (low, high) => (end(self, low), end(self, high)),
        };
        let test = AmountTest { low: low?, high: high? };
        self.sum_can_flip(test, tree, of)?;
        Some(test)
    }

    fn summand(&mut self, text: &str, tree: &Tree, of: Option<&Field>) -> Option<Amount> {
        let value = self.number(of.unwrap_or(&Field::Revenue), text, tree.at)?;
        if value.get().abs() > MOST {
            let message = format!("`{}` is beyond all sums", shortened(text));
            self.refuse(Code::BadValue, tree.at, message, "write a smaller number");
            return None;
        }
        Some(value)
    }

    /// Refuses what every sum meets, or none. Revenue and properties may be negative; pieces and prices are not.
    fn sum_can_flip(&mut self, test: AmountTest, tree: &Tree, of: Option<&Field>) -> Option<()> {
        let (low, high) = test.range();
        let floor = match of {
            Some(Field::Quantity | Field::Price) => 0,
            _ => i128::MIN,
        };
        if low.max(floor) > high {
            let help = "the smaller number first; pieces and prices are never below 0";
            self.refuse(Code::NeverTrue, tree.at, "no sum compares so", help);
            return None;
        }
        if low <= floor && high == i128::MAX {
            let message = "every sum compares so: without an event it is 0";
            self.refuse(Code::NeverFalse, tree.at, message, "ask for more than that: \"> 0\"");
            return None;
        }
        Some(())
    }
}
