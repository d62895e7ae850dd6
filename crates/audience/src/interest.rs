//! `interest`: the score of a tag, its place or its share among the tags of its level.

use crate::check::{AskedTag, Checker, Entries, Shape, shortened};
use crate::code::Code;
use crate::compare::Operation;
use crate::condition::decimal;
use crate::problem::At;
use crate::tree::Tree;
use crate::{Compare, CountTest, InterestLeaf, Leaf, RankLeaf, ShareLeaf};
use tzeva_model::{Category, Level, Name, NameKind, TagKey};

pub(crate) const INTEREST: Shape = Shape {
    noun: "an `interest` condition",
    keys: &["tag", "is", "rank", "share"],
    later: &["percentile", "per"],
};
/// What an `interest` condition asks, one of them.
const QUESTIONS: [&str; 3] = ["is", "rank", "share"];
/// The longest category path in bytes: that of a text in an event. A path is kept once per depth, so a bound is needed.
const MAX_PATH: usize = 8 * 1024;
/// The greatest threshold: scores are f32.
const MAX_THRESHOLD: f64 = 1e30;

impl Checker<'_> {
    pub(crate) fn interest(&mut self, tree: &Tree) -> Option<Leaf> {
        let entries = self.entries(tree, &INTEREST)?;
        let tag = self.required(&entries, "tag", "an `interest` condition");
        let tag = tag.and_then(|tree| Some((self.tag(tree)?, tree.at)));
        let leaf = self.question(&entries, tag.as_ref().map(|(tag, _)| tag.clone()));
        if let Some(((key, text), tag_at)) = tag {
            let threshold = match (&leaf, entries.get("is")) {
                (Some(Leaf::Interest(leaf)), Some(is)) => Some((leaf.threshold, is.at)),
                _ => None,
            };
            self.asked_tags.push(AskedTag { level: key.level, text, tag_at, threshold });
        }
        leaf
    }

    /// The one thing that is asked of a tag; it is read also if the tag can't be.
    fn question(&mut self, entries: &Entries<'_>, tag: Option<(TagKey, String)>) -> Option<Leaf> {
        let mut asked = QUESTIONS.iter().filter(|key| entries.get(key).is_some());
        let Some(first) = asked.next() else {
            if !entries.incomplete {
                let message = "an `interest` condition needs `is`, `rank` or `share`";
                let help = "write one of `is: \">= 6\"`, `rank: \"<= 3\"`, `share: \">= 0.5\"`";
                self.refuse(Code::MissingKey, entries.at, message, help);
            }
            return None;
        };
        if let Some(second) = asked.next() {
            let at = entries.key_at(second).unwrap_or(entries.at);
            let message = format!("one `interest` asks both `{first}` and `{second}`");
            self.refuse(Code::OneCondition, at, message, "put them as two items under `all:`");
            return None;
        }
        let tree = entries.get(first)?;
        match *first {
            "is" => {
                let (at_least, threshold) = self.threshold(tree)?;
                let (tag, text) = tag?;
                Some(Leaf::Interest(InterestLeaf { tag, text, at_least, threshold }))
            }
            "rank" => {
                let rank = self.rank(tree)?;
                let (tag, text) = tag?;
                Some(Leaf::Rank(RankLeaf { tag, text, rank }))
            }
            _ => {
                let (at_least, share) = self.share(tree)?;
                let (tag, text) = tag?;
                Some(Leaf::Share(ShareLeaf { tag, text, at_least, share }))
            }
        }
    }

    fn tag(&mut self, tree: &Tree) -> Option<(TagKey, String)> {
        let text = self.text(tree, "a tag such as `category/Shoes`")?;
        let (level, name) = text.split_once('/').unwrap_or((text, ""));
        let name = name.trim();
        let key = |level, id, text| Some((TagKey { level, id }, text));
        match level.trim() {
            "shop" if name.is_empty() && !text.contains('/') => {
                return key(Level::Shop, Name::new(NameKind::Shop, "").id(), "shop".to_owned());
            }
            "brand" if !name.is_empty() => {
                return key(
                    Level::Brand,
                    Name::new(NameKind::Brand, name).id(),
                    format!("brand/{name}"),
                );
            }
            "product" if !name.is_empty() => {
                let id = Name::new(NameKind::Product, name).id();
                return key(Level::Product, id, format!("product/{name}"));
            }
            "category" => {
                if let Some(path) = self.category(name)
                    && let Ok(depth) = u8::try_from(path.depths().len())
                {
                    let text = format!("category/{}", path.leaf().text());
                    return key(Level::Category(depth), path.leaf().id(), text);
                }
            }
            _ => {}
        }
        let message = format!("`{}` is no tag", shortened(text));
        let help = "a tag is `shop`, `brand/NAME`, `category/PATH` or `product/ID`";
        self.refuse(Code::BadTag, tree.at, message, help);
        None
    }

    /// A category path, split as the settings say; no event has a longer one than `MAX_PATH`.
    pub(crate) fn category(&self, text: &str) -> Option<Category> {
        if text.len() > MAX_PATH {
            return None;
        }
        match &self.settings.category_separator {
            Some(separator) => Category::from_parts(text.split(separator.as_str())),
            None => Category::parse(text),
        }
    }

    /// `>= 6`. A score is an f64 when it is compared, so `> 6` is `>=` the next f64.
    fn threshold(&mut self, tree: &Tree) -> Option<(bool, f64)> {
        let help = "a score fades at every instant, so compare with >= or <, such as \">= 6\"";
        let (at_least, value) = self.side(tree, ("a score", help), MAX_THRESHOLD)?;
        if value <= 0.0 {
            let help = "no score is below 0, and a tag that isn't there scores 0: ask for more than nothing";
            self.refuse(Code::ThresholdNotPositive, tree.at, "a threshold must be positive", help);
            return None;
        }
        Some((at_least, value))
    }

    /// `<= 3`. The strongest tag has rank 1.
    fn rank(&mut self, tree: &Tree) -> Option<CountTest> {
        let test = self.count_test(tree)?;
        let (low, high) = test.range();
        if low > high || high == 0 {
            let help = "the strongest tag of a level has rank 1";
            self.refuse(Code::NeverTrue, tree.at, "no tag has such a rank", help);
            return None;
        }
        // Every tag that is there has some rank from 1 on: then the rank says nothing but that.
        if low <= 1 && high >= u64::from(u32::MAX) {
            return Some(CountTest::Is(Compare::AtLeast, 1));
        }
        Some(test)
    }

    /// `>= 0.5`: a part of the whole.
    fn share(&mut self, tree: &Tree) -> Option<(bool, f64)> {
        let help = "a share is a part of 1: compare with >= or <, such as \">= 0.5\"";
        let (at_least, share) = self.side(tree, ("a share", help), MAX_THRESHOLD)?;
        let nothing = match (at_least, share) {
            (true, share) if share <= 0.0 => Some((Code::NeverFalse, "every share is at least 0")),
            (false, share) if share <= 0.0 => Some((Code::NeverTrue, "no share is below 0")),
            (true, share) if share > 1.0 => Some((Code::NeverTrue, "no share is above 1")),
            (false, share) if share > 1.0 => Some((Code::NeverFalse, "every share is at most 1")),
            _ => None,
        };
        if let Some((code, message)) = nothing {
            self.refuse(code, tree.at, message, help);
            return None;
        }
        Some((at_least, share))
    }

    /// Which side of a number; `> x` is `>=` the next f64, `<= x` is `<` that.
    fn side(&mut self, tree: &Tree, (noun, help): (&str, &str), most: f64) -> Option<(bool, f64)> {
        let text = self.comparison(tree, &format!("{noun} such as \">= 0.5\""))?;
        let (at_least, next, value) = match Operation::parse(text) {
            Ok(Operation::AtLeast(value)) => (true, false, value),
            Ok(Operation::MoreThan(value)) => (true, true, value),
            Ok(Operation::LessThan(value)) => (false, false, value),
            Ok(Operation::AtMost(value)) => (false, true, value),
            _ => {
                let message = format!("`{}` doesn't say on which side of {noun}", shortened(text));
                self.refuse(Code::BadComparison, tree.at, message, help);
                return None;
            }
        };
        match decimal(value).filter(|value| *value <= most) {
            Some(value) => Some((at_least, if next { value.next_up() } else { value })),
            None => {
                self.no_number(value, tree.at);
                None
            }
        }
    }

    fn no_number(&mut self, value: &str, at: At) {
        let message = format!("`{}` is no number to compare with", shortened(value));
        self.refuse(Code::BadComparison, at, message, "write a number such as 6 or 0.5");
    }
}
