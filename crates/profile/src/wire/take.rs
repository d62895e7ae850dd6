//! Reading deltas: the mirror image of `put`.

use super::{
    AT_LAST, BRAND, DEEP, MERGED, ORIGIN, PRICE, PRODUCT, QUANTITY, SCORE_LAST, THERE, code,
};
use crate::bytes::{Corrupt, Input};
use crate::kind::{Items, Kind, Revenue, Setting, items_sum};
use crate::known::{Ids, Texts};
use crate::stored::rest::{take_own, take_standing, take_value};
use crate::{Delta, Extra, Op, Stroke, StrokeItem, Tag};
use smallvec::SmallVec;
use tzeva_model::{Level, RulesVersion, TagKey, UnixMillis, VisitorId};

/// A delta being read.
struct Reader<'a, 'i> {
    input: &'i mut Input<'a>,
    ids: Ids,
    texts: Texts<'a>,
    last: UnixMillis,
    score: Option<f32>,
}

pub(super) fn delta(input: &mut Input<'_>) -> Result<Delta, Corrupt> {
    let visitor = VisitorId::try_new(input.text()?).map_err(|_| Corrupt::Text)?;
    let count = input.varint()?;
    let (ids, texts, last) = (Ids::new(), Texts::new(), UnixMillis::new(ORIGIN));
    let mut reader = Reader { input, ids, texts, last, score: None };
    let mut ops = Vec::new();
    for _ in 0..count {
        ops.push(reader.op()?);
    }
    Ok(Delta { visitor, ops })
}

// === impl Reader ===

impl Reader<'_, '_> {
    fn op(&mut self) -> Result<Op, Corrupt> {
        let head = self.input.byte()?;
        let (code, flags) = (head & 15, head & 0xf0);
        let allowed = match code {
            code::TAG => 0xf0,
            code::UNTAG => 0xc0,
            code::DEADLINE => THERE,
            _ => 0,
        };
        if flags & !allowed != 0 {
            return Err(Corrupt::Code);
        }
        Ok(match code {
            code::STROKE => Op::Stroke(self.stroke()?),
            code::DROP_STROKE => Op::DropStroke(self.input.number()?),
            code::FOLD_STROKE => Op::FoldStroke(self.input.number()?),
            code::MERGE_ITEMS => {
                let index = self.input.number()?;
                let count = self.input.varint()?;
                let items = (0..count).map(|_| self.item()).collect::<Result<_, _>>()?;
                Op::MergeItems(index, items)
            }
            code::DROP_CELLS => Op::DropCells(self.instant()?),
            code::EXACT_SINCE => Op::ExactSince(self.instant()?),
            code::TAG => Op::Tag(self.tag(flags)?),
            code::UNTAG => Op::Untag(self.key(flags)?),
            code::TRAIT => {
                let name = self.texts.take(self.input)?.into();
                let value = take_value(self.input, &mut self.texts)?;
                Op::Trait(name, value, self.instant()?)
            }
            code::STAND => Op::Stand(take_standing(self.input, self.last)?),
            code::UNSTAND => Op::Unstand(self.ids.take(self.input)?),
            code::SEEN => Op::Seen(self.instant()?),
            code::DEADLINE => {
                Op::Deadline((flags & THERE != 0).then(|| self.instant()).transpose()?)
            }
            code::STAMP => Op::Stamp(RulesVersion::new(self.input.fixed(8)?)),
            code::FORGET => Op::Forget,
            code::DROP_DAY => {
                let event = self.ids.take(self.input)?;
                let day = i32::try_from(self.input.signed()?).map_err(|_| Corrupt::Range)?;
                Op::DropDay(event, day)
            }
            _ => return Err(Corrupt::Code),
        })
    }

    fn stroke(&mut self) -> Result<Stroke, Corrupt> {
        let at = self.instant()?;
        let kind = Kind::take(self.input, Setting::default(), &mut self.ids, &mut self.texts)?;
        let id_bits = u32::from_le_bytes(self.input.array()?);
        let count: u64 = match kind.items {
            Items::None => 0,
            Items::Plain { many: false, .. } => 1,
            _ => self.input.varint()?,
        };
        let mut items = SmallVec::new();
        for _ in 0..count {
            items.push(self.item()?);
        }
        let revenue = match kind.revenue {
            Revenue::None => None,
            Revenue::Sum => items_sum(&items),
            Revenue::Given => Some(self.input.amount()?),
        };
        let Setting { currency, own, .. } = kind.setting;
        let own = if own { take_own(self.input, &mut self.texts)? } else { Extra::default() };
        let extra = kind.setting.with(own);
        Ok(Stroke { at, event: kind.event, id_bits, items, revenue, currency, extra })
    }

    fn item(&mut self) -> Result<StrokeItem, Corrupt> {
        let head = self.input.byte()?;
        let depths = match head >> 5 {
            DEEP => self.input.varint()?,
            depths => u64::from(depths),
        };
        let mut id = |bit| (head & bit != 0).then(|| self.ids.take(self.input)).transpose();
        let (product, brand) = (id(PRODUCT)?, id(BRAND)?);
        let mut category = SmallVec::new();
        for _ in 0..depths {
            category.push(self.ids.take(self.input)?);
        }
        let input = &mut *self.input;
        let price = (head & PRICE != 0).then(|| input.amount()).transpose()?;
        let quantity = (head & QUANTITY != 0).then(|| input.number()).transpose()?;
        let merged = (head & MERGED != 0).then(|| input.amount()).transpose()?;
        Ok(StrokeItem { product, brand, category, price, quantity, merged })
    }

    fn tag(&mut self, flags: u8) -> Result<Tag, Corrupt> {
        let key = self.key(flags)?;
        let at = if flags & AT_LAST == 0 { self.instant()? } else { self.last };
        let score = match self.score {
            Some(score) if flags & SCORE_LAST != 0 => score,
            None if flags & SCORE_LAST != 0 => return Err(Corrupt::Reference),
            _ => self.input.score()?,
        };
        if !(score.is_finite() && score > 0.0) {
            return Err(Corrupt::Range);
        }
        self.score = Some(score);
        Ok(Tag { key, score, at })
    }

    fn key(&mut self, flags: u8) -> Result<TagKey, Corrupt> {
        let level = match flags >> 6 {
            0 => Level::Shop,
            1 => Level::Brand,
            2 => Level::Category(self.input.byte()?),
            _ => Level::Product,
        };
        Ok(TagKey { level, id: self.ids.take(self.input)? })
    }

    fn instant(&mut self) -> Result<UnixMillis, Corrupt> {
        self.last = UnixMillis::new(self.last.get().wrapping_add(self.input.signed()?));
        Ok(self.last)
    }
}
