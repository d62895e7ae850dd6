//! Reading the stored form: the mirror image of `write`, and the place where promises are checked.

use super::price::Price;
use super::rest::{self, sorted};
use super::tables::{Carried, Form, Node, Place, Product, Tables};
use super::tags::{MOST_SHARED, marked, take_loose, take_mark};
use super::write::{
    CELLS, DEADLINE, ESCAPE, EXACT_SINCE, LOOSE, ORIGIN, STAMP, TRAITS, VARINT, WIDE,
};
use crate::bytes::{Corrupt, Input};
use crate::kind::{Items, Kind, Quantity, Revenue, items_sum};
use crate::known::{Ids, Texts, take_id};
use crate::{Extra, Profile, Stroke, StrokeItem};
use smallvec::SmallVec;
use std::sync::Arc;
use tzeva_model::{RulesVersion, Seq, UnixMillis};

/// How many category ids the items may unfold to: the one place where a byte can stand for many.
#[derive(Debug)]
pub(super) struct Budget(usize);

/// A profile being read.
struct Reader<'a> {
    input: Input<'a>,
    ids: Ids,
    texts: Texts<'a>,
    profile: Profile,
    tables: Tables,
    marks: Vec<(Place, f32)>,
    shared: SmallVec<[f32; MOST_SHARED]>,
    kinds: SmallVec<[(Kind<'a>, Option<Arc<Extra>>); 4]>,
    budget: Budget,
}

/// How many entries the sections have.
struct Counts {
    kinds: usize,
    brands: usize,
    nodes: usize,
    forms: usize,
    strokes: usize,
    standings: usize,
}

/// Reads what follows the two version bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Profile, Corrupt> {
    let mut reader = Reader {
        input: Input::new(bytes),
        ids: Ids::new(),
        texts: Texts::new(),
        profile: Profile::default(),
        tables: Tables::default(),
        marks: Vec::new(),
        shared: SmallVec::new(),
        kinds: SmallVec::new(),
        budget: Budget(1 << 22),
    };
    let flags = head(&mut reader.input, &mut reader.profile)?;
    let counts = reader.counts()?;
    reader.reserve(&counts);
    for _ in 0..counts.brands {
        reader.brand()?;
    }
    for _ in 0..counts.nodes {
        reader.node()?;
    }
    for _ in 0..counts.forms {
        reader.form()?;
    }
    for _ in 0..counts.kinds {
        let before = reader.kinds.last().map(|(kind, _)| kind.setting).unwrap_or_default();
        let kind = Kind::take(&mut reader.input, before, &mut reader.ids, &mut reader.texts)?;
        reader.kinds.push((kind, kind.extra()));
    }
    reader.strokes(counts.strokes)?;
    reader.rest(flags, counts.standings)
}

/// Reads seq, flags and what they announce up to the counts into `profile`; the flags.
pub(super) fn head(input: &mut Input<'_>, profile: &mut Profile) -> Result<u8, Corrupt> {
    profile.seq = Seq::new(input.varint()?);
    let flags = input.byte()?;
    if flags >> 7 != 0 {
        return Err(Corrupt::Code);
    }
    if flags & STAMP != 0 {
        profile.stamp = RulesVersion::new(input.fixed(8)?);
    }
    let from_origin = input.fixed(if flags & WIDE == 0 { 5 } else { 8 })?;
    profile.seen = UnixMillis::new(ORIGIN.wrapping_add(from_origin.cast_signed()));
    if flags & DEADLINE != 0 {
        profile.deadline = Some(input.after(profile.seen)?);
    }
    if flags & EXACT_SINCE != 0 {
        profile.exact_since = Some(input.before(profile.seen)?);
    }
    Ok(flags)
}

// === impl Budget ===

impl Budget {
    pub(super) fn spend(&mut self, count: usize) -> Result<(), Corrupt> {
        self.0 = self.0.checked_sub(count).ok_or(Corrupt::Unfolds)?;
        Ok(())
    }
}

// === impl Reader ===

impl Reader<'_> {
    fn counts(&mut self) -> Result<Counts, Corrupt> {
        let (shop, kinds) = self.halves()?;
        let kinds = self.escaped(kinds)?;
        let (brands, nodes) = self.halves()?;
        let (brands, nodes) = (self.escaped(brands)?, self.escaped(nodes)?);
        let (shared, standings) = self.halves()?;
        let standings = self.escaped(standings)?;
        if shared > MOST_SHARED {
            return Err(Corrupt::Code);
        }
        let (forms, strokes) = (self.input.number()?, self.input.number()?);
        for _ in 0..shared {
            self.shared.push(self.input.score()?);
        }
        self.mark(Place::Shop, shop)?;
        Ok(Counts { kinds, brands, nodes, forms, strokes, standings })
    }

    /// Makes room for what is announced, as far as the bytes that are left could hold it.
    fn reserve(&mut self, counts: &Counts) {
        let room = |count: usize, bytes: usize| count.min(self.input.rest().len() / bytes);
        // Each may be any number, so may their sum.
        let parts = [counts.brands, counts.nodes, counts.forms];
        let marks = parts.into_iter().fold(1, usize::saturating_add);
        self.tables.brands.reserve_exact(room(counts.brands, 9));
        self.tables.nodes.reserve_exact(room(counts.nodes, 9));
        self.tables.forms.reserve_exact(room(counts.forms, 2));
        self.marks.reserve_exact(room(marks, 2));
        self.profile.strokes.reserve_exact(room(counts.strokes, 7));
        self.profile.standings.reserve_exact(room(counts.standings, 9));
    }

    fn brand(&mut self) -> Result<(), Corrupt> {
        let id = take_id(&mut self.input)?;
        self.ids.push(id);
        self.tables.brands.push(id);
        let (zero, mark) = self.halves()?;
        if zero != 0 {
            return Err(Corrupt::Code);
        }
        self.mark(Place::Brand(self.tables.brands.len() - 1), mark)
    }

    fn node(&mut self) -> Result<(), Corrupt> {
        let id = take_id(&mut self.input)?;
        self.ids.push(id);
        let (parent, mark) = self.halves()?;
        let parent = self.reference(parent, self.tables.nodes.len())?;
        let depth = parent.map_or(0, |parent| self.tables.nodes[parent].depth) + 1;
        self.tables.nodes.push(Node { parent, id, depth });
        self.mark(Place::Node(self.tables.nodes.len() - 1), mark)
    }

    fn form(&mut self) -> Result<(), Corrupt> {
        let (node, brand) = self.halves()?;
        let (mark, sorts) = self.halves()?;
        let node = self.reference(node, self.tables.nodes.len())?;
        let brand = self.reference(brand, self.tables.brands.len())?;
        let product = match sorts >> 2 {
            0 => Product::None,
            1 => {
                let id = take_id(&mut self.input)?;
                self.ids.push(id);
                Product::New(id)
            }
            2 => {
                let place: usize = self.input.number()?;
                match self.tables.forms.get(place).map(|form| form.product) {
                    Some(Product::New(_)) => Product::Of(place),
                    _ => return Err(Corrupt::Reference),
                }
            }
            _ => return Err(Corrupt::Code),
        };
        let id = match product {
            Product::None => None,
            Product::New(id) => Some(id),
            Product::Of(place) => self.tables.forms[place].id,
        };
        let price = Price::take(&mut self.input, sorts & 3)?;
        self.tables.forms.push(Form { product, id, brand, node, price });
        self.mark(Place::Form(self.tables.forms.len() - 1), mark)
    }

    fn strokes(&mut self, count: usize) -> Result<(), Corrupt> {
        let mut carried = Carried::new(&self.tables);
        let mut at = self.profile.seen;
        for index in 0..count {
            let (head, half) = self.halves()?;
            let kind = match head & 3 {
                3 => self.input.number::<usize>()?.checked_add(3).ok_or(Corrupt::Range)?,
                place => place,
            };
            at = self.instant(at, head >> 2, index == 0)?;
            let stroke = self.stroke(at, kind, half, &mut carried)?;
            self.profile.strokes.push(stroke);
        }
        self.profile.strokes.reverse();
        carried.finish(&self.tables, self.profile.strokes.last().map(|stroke| stroke.at));
        self.profile.tags = marked(&self.marks, &self.tables, &carried)?;
        Ok(())
    }

    /// The instant of a stroke; `newer` is that of the stroke after it, or `seen` for the newest.
    fn instant(
        &mut self,
        newer: UnixMillis,
        time: usize,
        newest: bool,
    ) -> Result<UnixMillis, Corrupt> {
        let gap = match time {
            time if time == usize::from(VARINT) => self.input.varint()?,
            time => self.input.fixed(time + 2)?,
        };
        let at = UnixMillis::new(newer.get().wrapping_sub(gap.cast_signed()));
        if at > newer && !newest { Err(Corrupt::Order) } else { Ok(at) }
    }

    fn stroke(
        &mut self,
        at: UnixMillis,
        kind: usize,
        half: usize,
        carried: &mut Carried,
    ) -> Result<Stroke, Corrupt> {
        let (kind, extra) = self.kinds.get(kind).ok_or(Corrupt::Reference)?;
        let (kind, mut extra) = (*kind, extra.clone());
        let id_bits = u32::from_le_bytes(self.input.array()?);
        let half = self.escaped(half)?;
        let items = self.items(kind.items, half, at, carried)?;
        let revenue = match kind.revenue {
            Revenue::None => None,
            Revenue::Sum => items_sum(&items),
            Revenue::Given => Some(self.input.amount()?),
        };
        if kind.setting.own {
            let own = rest::take_own(&mut self.input, &mut self.texts)?;
            extra = kind.setting.with(own);
        }
        let (event, currency) = (kind.event, kind.setting.currency);
        Ok(Stroke { at, event, id_bits, items, revenue, currency, extra })
    }

    fn items(
        &mut self,
        how: Items,
        half: usize,
        at: UnixMillis,
        carried: &mut Carried,
    ) -> Result<SmallVec<[StrokeItem; 1]>, Corrupt> {
        let count = match how {
            Items::None => 0,
            Items::Plain { many: false, .. } => 1,
            _ => half,
        };
        let mut items = SmallVec::new();
        for _ in 0..count {
            let flags = if how == Items::Spelled { self.input.byte()? } else { 0 };
            let form = match how {
                Items::Plain { many: false, .. } => half,
                _ => self.input.number()?,
            };
            let mut item = self.tables.item(form, &mut self.budget)?;
            carried.item(form, at);
            let price = self.tables.forms[form].price;
            match how {
                Items::Plain { quantity, price: priced, .. } => {
                    item.price = price.filter(|_| priced);
                    item.quantity = self.quantity(quantity)?;
                }
                _ => {
                    item.price = price.filter(|_| flags & 1 != 0);
                    item.quantity = (flags & 2 != 0).then(|| self.input.number()).transpose()?;
                    item.merged = (flags & 4 != 0).then(|| self.input.amount()).transpose()?;
                }
            }
            items.push(item);
        }
        Ok(items)
    }

    fn quantity(&mut self, how: Quantity) -> Result<Option<u32>, Corrupt> {
        match how {
            Quantity::None => Ok(None),
            Quantity::One => Ok(Some(1)),
            Quantity::Each => match self.input.varint()?.checked_sub(1) {
                None => Ok(None),
                Some(quantity) => u32::try_from(quantity).map(Some).map_err(|_| Corrupt::Range),
            },
        }
    }

    fn rest(mut self, flags: u8, standings: usize) -> Result<Profile, Corrupt> {
        let Self { input, ids, texts, profile, .. } = &mut self;
        if flags & LOOSE != 0 {
            take_loose(input, profile, ids)?;
        }
        profile.tags.sort_unstable_by_key(|tag| tag.key);
        profile.tags = sorted(std::mem::take(&mut profile.tags), |a, b| a.key < b.key)?;
        if !profile.tags.iter().all(|tag| tag.score.is_finite() && tag.score > 0.0) {
            return Err(Corrupt::Range);
        }
        if flags & CELLS != 0 {
            profile.cells = rest::take_cells(input, ids)?;
        }
        if flags & TRAITS != 0 {
            profile.traits = rest::take_traits(input, profile.seen, texts)?;
        }
        for _ in 0..standings {
            let standing = rest::take_standing(input, profile.seen)?;
            profile.standings.push(standing);
        }
        profile.standings =
            sorted(std::mem::take(&mut profile.standings), |a, b| a.audience < b.audience)?;
        if input.rest().is_empty() { Ok(self.profile) } else { Err(Corrupt::Trailing) }
    }

    fn mark(&mut self, place: Place, nibble: usize) -> Result<(), Corrupt> {
        let nibble = u8::try_from(nibble).map_err(|_| Corrupt::Code)?;
        let score = take_mark(&mut self.input, nibble, &self.shared)?;
        self.marks.extend(score.map(|score| (place, score)));
        Ok(())
    }

    fn halves(&mut self) -> Result<(usize, usize), Corrupt> {
        let byte = self.input.byte()?;
        Ok((usize::from(byte & 15), usize::from(byte >> 4)))
    }

    fn escaped(&mut self, half: usize) -> Result<usize, Corrupt> {
        if half < ESCAPE {
            return Ok(half);
        }
        self.input.number::<usize>()?.checked_add(ESCAPE).ok_or(Corrupt::Range)
    }

    /// 0: none; else the place + 1 of one of `count` entries.
    fn reference(&mut self, half: usize, count: usize) -> Result<Option<usize>, Corrupt> {
        match self.escaped(half)?.checked_sub(1) {
            Some(place) if place >= count => Err(Corrupt::Reference),
            place => Ok(place),
        }
    }
}
