//! Who shops, and when. Three people keep to a script, so that each kind of change is seen whatever the dice say; the
//! others come and go by a seed.

use crate::shop::{Act, Deed, PRODUCTS};
use tzeva_model::Millis;

/// The crowd, a day at a time.
pub struct People {
    seed: u64,
}

/// A sequence of numbers that follows from its seed (splitmix64).
struct Dice(u64);

/// Those who keep to a script.
pub(crate) const SCRIPTED: [&str; 3] = ["anna", "ben", "clara"];
/// Everybody else.
const OTHERS: [&str; 37] = [
    "amir", "bella", "carlos", "dana", "edith", "emil", "farid", "freya", "gita", "hana", "hugo",
    "ines", "ivan", "jonas", "kofi", "lena", "liam", "maya", "milo", "nadia", "noah", "olga",
    "omar", "paula", "petra", "quinn", "rosa", "ravi", "sami", "sofia", "tariq", "tomas", "uma",
    "vera", "wei", "yara", "zoe",
];
/// How many of a thousand come on a day.
const VISITS: u64 = 600;
/// The hours in which visits begin, from opening on.
const HOURS: u64 = 14;

// === impl People ===

impl People {
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// What happens on a day (the first is 0), in order of time.
    pub fn day(&self, day: u32) -> Vec<Act> {
        let mut acts = script();
        for (place, who) in OTHERS.into_iter().enumerate() {
            let mut dice = Dice::of(self.seed, u64::from(day), place as u64);
            if dice.chance(VISITS) {
                visit(who, &mut dice, &mut acts);
            }
        }
        let morning = Millis::DAY.times(i64::from(day));
        acts.iter_mut().for_each(|act| act.at = morning + act.at);
        acts.sort_by_key(|act| act.at);
        acts
    }
}

// === impl Dice ===

impl Dice {
    fn of(seed: u64, day: u64, person: u64) -> Self {
        let mut dice = Self(seed ^ (day << 32) ^ (person << 48));
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    fn product(&mut self) -> usize {
        usize::try_from(self.below(PRODUCTS.len() as u64)).unwrap_or(0)
    }

    fn minutes(&mut self, from: u64, to: u64) -> Millis {
        Millis::MINUTE.times((from + self.below(to - from)).cast_signed())
    }
}

/// What the scripted three do on every day.
///
/// Anna leaves a cart behind: she is in an hour later and out six hours after that, both by time alone. Ben does the
/// same, but comes back and buys. Clara looks at running shoes, which is enough to be a fan at once, and stays away
/// until that has faded.
fn script() -> Vec<Act> {
    let act = |minute, who, deed| Act { at: Millis::MINUTE.times(minute), who, deed };
    let [anna, ben, clara] = SCRIPTED;
    vec![
        act(10, clara, Deed::View(0)),
        act(14, clara, Deed::View(1)),
        act(19, clara, Deed::View(0)),
        act(23, clara, Deed::View(1)),
        act(20, anna, Deed::View(4)),
        act(26, anna, Deed::Add(4)),
        act(35, ben, Deed::View(6)),
        act(40, ben, Deed::Add(6)),
        act(175, ben, Deed::Buy(vec![6])),
    ]
}

/// A visit: looks, perhaps a wish, perhaps a cart, perhaps an order.
fn visit(who: &'static str, dice: &mut Dice, acts: &mut Vec<Act>) {
    let mut at = dice.minutes(5, HOURS * 60);
    let favourite = dice.product();
    let mut cart = Vec::new();
    for _ in 0..2 + dice.below(4) {
        let product = if dice.chance(600) { favourite } else { dice.product() };
        let mut then = |deed, at| acts.push(Act { at, who, deed });
        then(Deed::View(product), at);
        at = at + dice.minutes(1, 6);
        if dice.chance(280) {
            cart.push(product);
            then(Deed::Add(product), at);
        } else if dice.chance(120) {
            then(Deed::Wish(product), at);
        }
        at = at + dice.minutes(1, 6);
    }
    if !cart.is_empty() && dice.chance(550) {
        // Some come back for what they left.
        at = at + if dice.chance(400) { dice.minutes(70, 200) } else { dice.minutes(2, 9) };
        acts.push(Act { at, who, deed: Deed::Buy(cart) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_in_order_and_follows_from_its_seed() {
        let acts = People::new(7).day(2);
        assert!(acts.is_sorted_by_key(|act| act.at));
        assert!(acts.iter().all(|act| act.at >= Millis::DAY.times(2)));
        assert_eq!(acts, People::new(7).day(2));
        assert_ne!(acts, People::new(8).day(2));
        assert!(acts.len() > 50, "{} acts", acts.len());
    }

    #[test]
    fn the_scripted_three_come_on_every_day_whatever_the_seed() {
        for seed in 0..20 {
            let acts = People::new(seed).day(0);
            for who in SCRIPTED {
                assert!(acts.iter().any(|act| act.who == who));
            }
        }
        assert!(OTHERS.iter().all(|who| !SCRIPTED.contains(who)));
    }
}
