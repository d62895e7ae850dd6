//! Writing the stored form. Sections come in the order of the functions below; `read` is the mirror image.

use super::price::Price;
use super::tables::{Carried, Place, Product, Tables};
use super::tags::{Marks, put_loose};
use super::{FORMAT, MIN_READER, rest};
use crate::bytes::{flag, put_amount, put_count, put_fixed, put_span, put_varint};
use crate::kind::{Items, Kind, Quantity, Revenue, Setting, has_own};
use crate::known::{Ids, Texts, put_id};
use crate::{Profile, Stroke, StrokeItem};
use tzeva_model::{RulesVersion, UnixMillis};

/// 2020-01-01T00:00:00Z, from which most instants fit 40 bits until 2054.
pub(super) const ORIGIN: i64 = 1_577_836_800_000;

/// Bits of the flags byte.
pub(super) const DEADLINE: u8 = 1;
pub(super) const EXACT_SINCE: u8 = 1 << 1;
pub(super) const STAMP: u8 = 1 << 2;
pub(super) const WIDE: u8 = 1 << 3;
pub(super) const LOOSE: u8 = 1 << 4;
pub(super) const CELLS: u8 = 1 << 5;
pub(super) const TRAITS: u8 = 1 << 6;

/// In the time field of a stroke's head byte: two, three, four bytes, or a varint.
pub(super) const VARINT: u8 = 3;
/// In a half byte: more follows.
pub(super) const ESCAPE: usize = 15;

/// A profile being written.
struct Writer<'a> {
    out: Vec<u8>,
    ids: Ids,
    texts: Texts<'a>,
    profile: &'a Profile,
    tables: Tables,
    marks: Marks,
    kinds: Vec<Kind<'a>>,
}

pub(super) fn encode(profile: &Profile) -> Vec<u8> {
    let (tables, item_forms) = Tables::of(&profile.strokes);
    let (kinds, stroke_kinds) = kinds(&profile.strokes);
    let mut carried = Carried::new(&tables);
    let items = profile.strokes.iter().flat_map(|s| s.items.iter().map(|_| s.at));
    for (&form, at) in item_forms.iter().zip(items) {
        carried.item(form, at);
    }
    carried.finish(&tables, profile.strokes.last().map(|stroke| stroke.at));
    let marks = Marks::of(profile, &tables, &carried);
    let (out, ids, texts) = (Vec::with_capacity(512), Ids::new(), Texts::new());
    let mut writer = Writer { out, ids, texts, profile, tables, marks, kinds };
    writer.head();
    writer.counts();
    writer.tables();
    writer.kinds();
    writer.strokes(&stroke_kinds, &item_forms);
    writer.rest();
    writer.out
}

// === impl Writer ===

impl<'a> Writer<'a> {
    /// Versions, seq, flags, the instants that are not in a section.
    fn head(&mut self) {
        let profile = self.profile;
        let out = &mut self.out;
        out.extend([FORMAT, MIN_READER]);
        put_varint(out, profile.seq.get());
        let from_origin = profile.seen.get().wrapping_sub(ORIGIN).cast_unsigned();
        let wide = from_origin >> 40 != 0;
        let has_stamp = profile.stamp != RulesVersion::default();
        out.push(
            flag(profile.deadline.is_some(), DEADLINE)
                | flag(profile.exact_since.is_some(), EXACT_SINCE)
                | flag(has_stamp, STAMP)
                | flag(wide, WIDE)
                | flag(!self.marks.loose.is_empty(), LOOSE)
                | flag(!profile.cells.is_empty(), CELLS)
                | flag(!profile.traits.is_empty(), TRAITS),
        );
        if has_stamp {
            put_fixed(out, profile.stamp.get(), 8);
        }
        put_fixed(out, from_origin, if wide { 8 } else { 5 });
        if let Some(deadline) = profile.deadline {
            put_span(out, profile.seen, deadline);
        }
        if let Some(exact_since) = profile.exact_since {
            put_span(out, exact_since, profile.seen);
        }
    }

    /// How much of everything, then the shared scores and the shop's.
    fn counts(&mut self) {
        let shop = self.marks.nibble(0);
        let (kinds, brands, nodes) =
            (self.kinds.len(), self.tables.brands.len(), self.tables.nodes.len());
        let (shared, standings) = (self.marks.shared.len(), self.profile.standings.len());
        let out = &mut self.out;
        put_halves(out, usize::from(shop), kinds);
        put_escaped(out, kinds);
        put_halves(out, brands, nodes);
        put_escaped(out, brands);
        put_escaped(out, nodes);
        put_halves(out, shared, standings);
        put_escaped(out, standings);
        put_count(out, self.tables.forms.len());
        put_count(out, self.profile.strokes.len());
        for &score in &self.marks.shared {
            crate::bytes::put_score(out, score);
        }
        self.marks.put_spelled(out, 0);
    }

    fn tables(&mut self) {
        let Self { out, ids, tables, marks, .. } = self;
        let mut index = 0;
        tables.for_each_place(|place| {
            let mark = usize::from(marks.nibble(index));
            match place {
                Place::Shop => return index += 1,
                Place::Brand(place) => {
                    put_id(out, tables.brands[place]);
                    ids.push(tables.brands[place]);
                    put_halves(out, 0, mark);
                }
                Place::Node(place) => {
                    let node = tables.nodes[place];
                    put_id(out, node.id);
                    ids.push(node.id);
                    let parent = node.parent.map_or(0, |parent| parent + 1);
                    put_halves(out, parent, mark);
                    put_escaped(out, parent);
                }
                Place::Form(place) => put_form(out, tables, place, mark, ids),
            }
            marks.put_spelled(out, index);
            index += 1;
        });
    }

    fn kinds(&mut self) {
        let mut before = Setting::default();
        for kind in &self.kinds {
            kind.put(&mut self.out, before, &mut self.ids, &mut self.texts);
            before = kind.setting;
        }
    }

    /// Newest first, each with its distance to the one before in the bytes, the newest with that to `seen`.
    fn strokes(&mut self, stroke_kinds: &[usize], item_forms: &[usize]) {
        let mut forms = item_forms;
        let mut newer = self.profile.seen;
        for (stroke, &kind) in self.profile.strokes.iter().zip(stroke_kinds).rev() {
            let (rest, own) = forms.split_at(forms.len() - stroke.items.len());
            forms = rest;
            self.stroke(stroke, kind, own, newer);
            newer = stroke.at;
        }
    }

    fn stroke(&mut self, stroke: &'a Stroke, place: usize, forms: &[usize], newer: UnixMillis) {
        let kind = self.kinds[place];
        let out = &mut self.out;
        let gap = newer.get().wrapping_sub(stroke.at.get()).cast_unsigned();
        let time = match gap {
            0..0x1_0000 => 0,
            0x1_0000..0x100_0000 => 1,
            0x100_0000..0x1_0000_0000 => 2,
            _ => VARINT,
        };
        let half = match kind.items {
            Items::None => 0,
            Items::Plain { many: false, .. } => forms[0],
            _ => forms.len(),
        };
        put_halves(out, place.min(3) | (usize::from(time) << 2), half);
        if place >= 3 {
            put_count(out, place - 3);
        }
        let id_bits = u64::from(stroke.id_bits);
        match time {
            VARINT => {
                put_varint(out, gap);
                put_fixed(out, id_bits, 4);
            }
            // The gap's bytes and those of the id behind them, at once.
            time => {
                let width = usize::from(time) + 2;
                put_fixed(out, gap | (id_bits << (8 * width)), width + 4);
            }
        }
        put_escaped(out, half);
        put_items(out, kind.items, &stroke.items, forms);
        if let (Revenue::Given, Some(revenue)) = (kind.revenue, stroke.revenue) {
            put_amount(out, revenue);
        }
        if let Some(extra) = stroke.extra.as_deref().filter(|extra| has_own(extra)) {
            rest::put_own(out, extra, &mut self.texts);
        }
    }

    fn rest(&mut self) {
        let Self { out, ids, texts, profile, marks, .. } = self;
        if !marks.loose.is_empty() {
            put_loose(out, profile, &marks.loose, ids);
        }
        if !profile.cells.is_empty() {
            rest::put_cells(out, &profile.cells, ids);
        }
        if !profile.traits.is_empty() {
            rest::put_traits(out, profile, texts);
        }
        for standing in &profile.standings {
            rest::put_standing(out, standing, profile.seen);
        }
    }
}

/// The distinct kinds, the most frequent first, then in order of appearance; and the place of each stroke's.
fn kinds(strokes: &[Stroke]) -> (Vec<Kind<'_>>, Vec<usize>) {
    let mut found: Vec<(Kind<'_>, usize)> = Vec::new();
    let mut places = Vec::with_capacity(strokes.len());
    for stroke in strokes {
        let kind = Kind::of(stroke);
        let place = found.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            found.push((kind, 0));
            found.len() - 1
        });
        found[place].1 += 1;
        places.push(place);
    }
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|&place| std::cmp::Reverse(found[place].1));
    let mut rank = vec![0; found.len()];
    for (new, &old) in order.iter().enumerate() {
        rank[old] = new;
    }
    (order.iter().map(|&place| found[place].0).collect(), places.iter().map(|&p| rank[p]).collect())
}

/// A form: half bytes for node and brand, a byte for score, price and product, then what of them doesn't fit.
fn put_form(out: &mut Vec<u8>, tables: &Tables, place: usize, mark: usize, ids: &mut Ids) {
    let form = tables.forms[place];
    let node = form.node.map_or(0, |node| node + 1);
    let brand = form.brand.map_or(0, |brand| brand + 1);
    put_halves(out, node, brand);
    let price = Price::of(form.price);
    let product = match form.product {
        Product::None => 0,
        Product::New(_) => 1,
        Product::Of(_) => 2,
    };
    put_halves(out, mark, price.code() | (product << 2));
    put_escaped(out, node);
    put_escaped(out, brand);
    match form.product {
        Product::None => {}
        Product::New(id) => {
            put_id(out, id);
            ids.push(id);
        }
        Product::Of(place) => put_count(out, place),
    }
    match price {
        Price::None => {}
        Price::Cents(cents) => out.extend_from_slice(&cents.to_le_bytes()),
        Price::Byte(byte) => out.push(byte),
        Price::Any(price) => put_amount(out, price),
    }
}

fn put_items(out: &mut Vec<u8>, how: Items, items: &[StrokeItem], forms: &[usize]) {
    for (item, &form) in items.iter().zip(forms) {
        match how {
            Items::None => {}
            Items::Plain { many, quantity, .. } => {
                if many {
                    put_count(out, form);
                }
                if quantity == Quantity::Each {
                    put_varint(out, item.quantity.map_or(0, |quantity| u64::from(quantity) + 1));
                }
            }
            Items::Spelled => {
                out.push(
                    flag(item.price.is_some(), 1)
                        | flag(item.quantity.is_some(), 2)
                        | flag(item.merged.is_some(), 4),
                );
                put_count(out, form);
                if let Some(quantity) = item.quantity {
                    put_varint(out, u64::from(quantity));
                }
                if let Some(merged) = item.merged {
                    put_amount(out, merged);
                }
            }
        }
    }
}

/// Two half bytes, the first one low; what is 15 or more is written as 15, and then by [`put_escaped`].
fn put_halves(out: &mut Vec<u8>, low: usize, high: usize) {
    let half = |value: usize| u8::try_from(value.min(ESCAPE)).unwrap_or(0);
    out.push(half(low) | (half(high) << 4));
}

fn put_escaped(out: &mut Vec<u8>, value: usize) {
    if value >= ESCAPE {
        put_count(out, value - ESCAPE);
    }
}
