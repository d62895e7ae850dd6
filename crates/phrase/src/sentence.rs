//! Sentences: the reason of a change in plain words.
//!
//! Short, in the present tense, without the visitor: "last product_added is 1h ago". A leaf's sentence depends on
//! which way its truth went: an entry makes a leaf of `enter` true (false under `not`), an exit makes it false.

use crate::words::{
    filter_words, level_words, percent, place_words, steps_words, sum_words, tag_words, test_words,
};
use tzeva_audience::{
    Audience, Compare, CountTest, EventLeaf, Found, InterestLeaf, LastLeaf, Leaf, RuleSet,
    SequenceLeaf,
};
use tzeva_model::{Change, Direction, Millis, NameId, Place, ReasonKind};

/// The reason of a change as one short sentence for people, without full stop.
///
/// `rules` should be the set that decided the change; an audience that isn't in it any more is named by `name`.
#[must_use]
pub fn sentence(
    rules: &RuleSet,
    change: &Change,
    name: &dyn Fn(NameId) -> Option<String>,
) -> String {
    let place = change.reason.place;
    let entered = change.direction == Direction::Entered;
    match place {
        Place::Idle => return "not seen for as long as a profile is kept".into(),
        Place::Audience => return "the audience was removed".into(),
        _ => {}
    }
    let id = change.audience;
    let Some(audience) = rules.audiences.iter().find(|audience| audience.name.id() == id) else {
        let name = name(id).unwrap_or_else(|| id.to_string());
        return format!("a condition of {name} changed, which is no audience any more");
    };
    if change.reason.kind == ReasonKind::Rules {
        return rules_sentence(audience, place, entered);
    }
    if change.audience_version != audience.version {
        return earlier_sentence(place, entered);
    }
    match place {
        Place::Leaf(index) => match audience.found(index) {
            Some(found) => leaf_sentence(&found, entered, change.reason.kind),
            None => "a condition of an earlier version changed".into(),
        },
        _ => policy_sentence(audience, place, entered),
    }
}

/// What can be said of a change that another version of the audience decided: neither its leaves nor its durations.
fn earlier_sentence(place: Place, entered: bool) -> String {
    let so = match place {
        Place::EnterAfter => "the entry condition had held for long enough",
        Place::ReenterAfter => "enough time had passed since the last exit",
        Place::AtLeast => "stayed for at_least, and the entry condition no longer held",
        Place::AtMost => "stayed for as long as was allowed (at_most)",
        Place::ExitWhen if entered => "the exit condition no longer held",
        Place::ExitWhen => "the exit condition held",
        Place::Enter if entered => "the entry condition held",
        Place::Enter => "the entry condition no longer held",
        _ => return "a condition of an earlier version changed".into(),
    };
    format!("{so}, as an earlier version has it")
}

/// The rules changed, and nothing else: no event came, no time ran out.
fn rules_sentence(audience: &Audience, place: Place, entered: bool) -> String {
    let so = match (place, audience.stay.at_most) {
        (Place::AtMost, Some(most)) => format!("a stay lasts {most} at most (at_most)"),
        (Place::AtMost, None) => "the stay has lasted as long as is allowed (at_most)".into(),
        (Place::ExitWhen, _) => "the exit condition holds".into(),
        _ if entered => "the entry condition holds".into(),
        _ => "the entry condition does not hold".into(),
    };
    format!("the rules changed, and {so}")
}

/// The reason of a change whose place is `profile.idle`: "not seen for 400d".
#[must_use]
pub fn idle_sentence(idle: Millis) -> String {
    format!("not seen for {idle}")
}

fn policy_sentence(audience: &Audience, place: Place, entered: bool) -> String {
    let stay = audience.stay;
    match place {
        Place::EnterAfter => format!("the entry condition has held for {}", audience.enter_after),
        Place::ReenterAfter => {
            format!("{} passed since the last exit", audience.reenter_after)
        }
        Place::AtLeast => {
            let least = stay.at_least;
            format!("stayed for {least} (at_least), and the entry condition no longer holds")
        }
        Place::AtMost => match stay.at_most {
            Some(most) => format!("stayed for {most} (at_most)"),
            None => "stayed for as long as is allowed (at_most)".into(),
        },
        Place::ExitWhen if entered => "the exit condition no longer holds".into(),
        Place::ExitWhen => "the exit condition holds".into(),
        _ if entered => "the entry condition holds".into(),
        _ => "the entry condition no longer holds".into(),
    }
}

fn leaf_sentence(found: &Found<'_>, entered: bool, kind: ReasonKind) -> String {
    let upright = entered != found.in_exit;
    let now = upright != found.negated;
    match found.leaf {
        Leaf::Event(event) => event_sentence(event, now),
        Leaf::Sum(leaf) => sum_words(leaf, if now { "is" } else { "is no longer" }),
        Leaf::Last(last) => last_sentence(last, now),
        Leaf::Interest(interest) => interest_sentence(interest, now, kind),
        Leaf::Rank(leaf) => {
            let (what, of) = (tag_words(&leaf.text), level_words(&leaf.text));
            let place = place_words(leaf.rank);
            format!("{what} is {}{place} of {of}", if now { "" } else { "no longer " })
        }
        Leaf::Share(leaf) => {
            let (what, of) = (tag_words(&leaf.text), level_words(&leaf.text));
            let share = percent(leaf.share);
            match leaf.at_least == now {
                true => format!("{what} has {share} or more of the interest in {of}"),
                false => format!("{what} has less than {share} of the interest in {of}"),
            }
        }
        Leaf::Sequence(leaf) => sequence_sentence(leaf, now),
        Leaf::Trait(leaf) => {
            let test = test_words(&leaf.name, &leaf.test);
            format!("the visitor {}has {test}", if now { "" } else { "no longer " })
        }
        Leaf::In(leaf) => {
            let other = leaf.audience.text();
            format!("the visitor is {} in {other}", if now { "now" } else { "no longer" })
        }
    }
}

fn event_sentence(leaf: &EventLeaf, now: bool) -> String {
    let what = format!("{}{}", leaf.name.text(), filter_words(&leaf.filter));
    let mut span = String::new();
    if let Some(after) = &leaf.after {
        span += &format!(" after the last {}", after.text());
    }
    if let Some(within) = leaf.within {
        span += &format!(" within {within}");
    }
    let (low, high) = leaf.count.range();
    match (high == 0, low == 1 && high >= u64::from(u32::MAX), now) {
        (false, true, true) | (true, false, false) => format!("{what} happened{span}"),
        (false, true, false) => format!("no longer any {what}{span}"),
        (true, _, true) => format!("no {what}{span}"),
        (.., true) => format!("{what} {}{span}", times(leaf.count)),
        (.., false) => format!("{what} no longer {}{span}", times(leaf.count)),
    }
}

/// How often, of counts that are not just "any" or "none".
fn times(count: CountTest) -> String {
    let plural = |k: u32| if k == 1 { "once".to_owned() } else { format!("{k} times") };
    match count {
        CountTest::Is(Compare::AtLeast, k) => plural(k),
        CountTest::Is(Compare::MoreThan, k) => format!("more than {}", plural(k)),
        CountTest::Is(Compare::AtMost, k) => format!("at most {}", plural(k)),
        CountTest::Is(Compare::LessThan, k) => format!("fewer than {k} times"),
        CountTest::Is(Compare::Equal, k) => format!("exactly {}", plural(k)),
        CountTest::Between(low, high) => format!("{low} to {high} times"),
    }
}

fn sequence_sentence(leaf: &SequenceLeaf, now: bool) -> String {
    let steps = steps_words(leaf);
    let within = leaf.within.map_or(String::new(), |within| format!(" within {within}"));
    if now { format!("{steps} happened{within}") } else { format!("no longer {steps}{within}") }
}

fn last_sentence(leaf: &LastLeaf, now: bool) -> String {
    let what = format!("last {}{}", leaf.event.text(), filter_words(&leaf.filter));
    match (leaf.at_least, now) {
        (true, true) => format!("{what} is {} ago", leaf.ago),
        (true, false) => format!("{what} is no longer {} ago", leaf.ago),
        (false, true) => format!("{what} is less than {} ago", leaf.ago),
        (false, false) => format!("{what} is no longer less than {} ago", leaf.ago),
    }
}

fn interest_sentence(leaf: &InterestLeaf, now: bool, kind: ReasonKind) -> String {
    let (what, threshold) = (tag_words(&leaf.text), score(leaf.threshold));
    match (leaf.at_least == now, kind) {
        (true, _) => format!("interest in {what} reached {threshold}"),
        (false, ReasonKind::Deadline) => format!("interest in {what} faded below {threshold}"),
        (false, _) => format!("interest in {what} fell below {threshold}"),
    }
}

/// A threshold to six places, so that the f64 after 6 shows as 6.
pub(crate) fn score(threshold: f64) -> String {
    let text = format!("{threshold:.6}");
    let trimmed = text.trim_end_matches('0').trim_end_matches('.');
    if trimmed == "0" { format!("{threshold:e}") } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests;
