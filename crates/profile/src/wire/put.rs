//! Writing deltas.

use super::{
    AT_LAST, BRAND, DEEP, MERGED, ORIGIN, PRICE, PRODUCT, QUANTITY, SCORE_LAST, THERE, code,
};
use crate::bytes::{
    flag, put_amount, put_count, put_fixed, put_score, put_signed, put_text, put_varint,
};
use crate::kind::{Items, Kind, Revenue, Setting, has_own};
use crate::known::{Ids, Texts};
use crate::stored::rest::{put_own, put_standing, put_value};
use crate::{Delta, Op, Stroke, StrokeItem, Tag};
use tzeva_model::{Level, TagKey, UnixMillis};

/// A delta being written.
struct Writer<'a, 'o> {
    out: &'o mut Vec<u8>,
    ids: Ids,
    texts: Texts<'a>,
    /// The instant written last.
    last: UnixMillis,
    /// The score written last.
    score: Option<f32>,
}

pub(super) fn delta(out: &mut Vec<u8>, delta: &Delta) {
    put_text(out, delta.visitor.as_str());
    put_count(out, delta.ops.len());
    let (ids, texts, last) = (Ids::new(), Texts::new(), UnixMillis::new(ORIGIN));
    let mut writer = Writer { out, ids, texts, last, score: None };
    for op in &delta.ops {
        writer.op(op);
    }
}

// === impl Writer ===

impl<'a> Writer<'a, '_> {
    fn op(&mut self, op: &'a Op) {
        match op {
            Op::Stroke(stroke) => self.stroke(stroke),
            Op::DropStroke(index) => self.numbered(code::DROP_STROKE, *index),
            Op::FoldStroke(index) => self.numbered(code::FOLD_STROKE, *index),
            Op::MergeItems(index, items) => {
                self.numbered(code::MERGE_ITEMS, *index);
                put_count(self.out, items.len());
                items.iter().for_each(|item| self.item(item));
            }
            Op::DropCells(before) => self.timed(code::DROP_CELLS, *before),
            Op::DropDay(event, day) => {
                self.out.push(code::DROP_DAY);
                self.ids.put(self.out, *event);
                put_signed(self.out, i64::from(*day));
            }
            Op::ExactSince(at) => self.timed(code::EXACT_SINCE, *at),
            Op::Tag(tag) => self.tag(tag),
            Op::Untag(key) => self.key(code::UNTAG, *key),
            Op::Trait(name, value, at) => {
                self.out.push(code::TRAIT);
                self.texts.put(self.out, name);
                put_value(self.out, value, &mut self.texts);
                self.instant(*at);
            }
            Op::Stand(standing) => {
                self.out.push(code::STAND);
                put_standing(self.out, standing, self.last);
            }
            Op::Unstand(audience) => {
                self.out.push(code::UNSTAND);
                self.ids.put(self.out, *audience);
            }
            Op::Seen(at) => self.timed(code::SEEN, *at),
            Op::Deadline(None) => self.out.push(code::DEADLINE),
            Op::Deadline(Some(at)) => self.timed(code::DEADLINE | THERE, *at),
            Op::Stamp(rules) => {
                self.out.push(code::STAMP);
                put_fixed(self.out, rules.get(), 8);
            }
            Op::Forget => self.out.push(code::FORGET),
        }
    }

    fn stroke(&mut self, stroke: &'a Stroke) {
        self.timed(code::STROKE, stroke.at);
        let kind = Kind::of(stroke);
        kind.put(self.out, Setting::default(), &mut self.ids, &mut self.texts);
        self.out.extend_from_slice(&stroke.id_bits.to_le_bytes());
        if let Items::Spelled | Items::Plain { many: true, .. } = kind.items {
            put_count(self.out, stroke.items.len());
        }
        stroke.items.iter().for_each(|item| self.item(item));
        if let (Revenue::Given, Some(revenue)) = (kind.revenue, stroke.revenue) {
            put_amount(self.out, revenue);
        }
        if let Some(extra) = stroke.extra.as_deref().filter(|extra| has_own(extra)) {
            put_own(self.out, extra, &mut self.texts);
        }
    }

    fn item(&mut self, item: &StrokeItem) {
        let depths = u8::try_from(item.category.len()).map_or(DEEP, |depths| depths.min(DEEP));
        self.out.push(
            flag(item.product.is_some(), PRODUCT)
                | flag(item.brand.is_some(), BRAND)
                | flag(item.price.is_some(), PRICE)
                | flag(item.quantity.is_some(), QUANTITY)
                | flag(item.merged.is_some(), MERGED)
                | (depths << 5),
        );
        if depths == DEEP {
            put_count(self.out, item.category.len());
        }
        for id in item.product.iter().chain(&item.brand).chain(&item.category) {
            self.ids.put(self.out, *id);
        }
        if let Some(price) = item.price {
            put_amount(self.out, price);
        }
        if let Some(quantity) = item.quantity {
            put_varint(self.out, u64::from(quantity));
        }
        if let Some(merged) = item.merged {
            put_amount(self.out, merged);
        }
    }

    fn tag(&mut self, tag: &Tag) {
        let at_last = tag.at == self.last;
        let score_last = self.score.is_some_and(|score| score.to_bits() == tag.score.to_bits());
        let flags = flag(at_last, AT_LAST) | flag(score_last, SCORE_LAST);
        self.key(code::TAG | flags, tag.key);
        if !at_last {
            self.instant(tag.at);
        }
        if !score_last {
            put_score(self.out, tag.score);
            self.score = Some(tag.score);
        }
    }

    fn key(&mut self, head: u8, key: TagKey) {
        let (level, depth) = match key.level {
            Level::Shop => (0, None),
            Level::Brand => (1, None),
            Level::Category(depth) => (2, Some(depth)),
            Level::Product => (3, None),
        };
        self.out.push(head | (level << 6));
        self.out.extend(depth);
        self.ids.put(self.out, key.id);
    }

    fn numbered(&mut self, code: u8, index: u16) {
        self.out.push(code);
        put_varint(self.out, u64::from(index));
    }

    fn timed(&mut self, head: u8, at: UnixMillis) {
        self.out.push(head);
        self.instant(at);
    }

    /// The distance to the instant before, either way.
    fn instant(&mut self, at: UnixMillis) {
        put_signed(self.out, at.get().wrapping_sub(self.last.get()));
        self.last = at;
    }
}
