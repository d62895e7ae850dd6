//! What both byte forms take for granted: ids and currencies that nearly every profile holds, and the two growing lists
//! by which later bytes point to ids and texts that earlier bytes spelled.
//!
//! The lists of known things belong to the form: they may only grow at the end, and only with a new format number.

use crate::bytes::{Corrupt, Input, put_count, put_text};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use tzeva_model::{Currency, NameId};

/// Ids known to every reader: the shop's, then those of the events of the e-commerce vocabulary.
pub(crate) const IDS: [u64; 20] = [
    0x486d_46da_b9e5_c236, // shop
    0x2845_4f68_9a2b_12b3, // page_viewed
    0x59ae_a22a_06a5_6e40, // product_list_viewed
    0x835c_6257_209e_55b7, // product_viewed
    0x07aa_5ffd_bb58_d345, // product_added
    0x0cff_8bf9_a0b0_8229, // product_removed
    0xa372_484b_0a4e_cd13, // cart_viewed
    0x8cb0_6523_0895_2574, // checkout_started
    0xb75a_ed55_18b1_bdfa, // checkout_step_completed
    0xf317_c3c7_90bc_57cc, // payment_info_entered
    0x6a0a_daca_90e1_551e, // order_completed
    0x5bb5_15d4_05d0_43c0, // order_refunded
    0xf1a2_329f_7857_bab6, // order_cancelled
    0x6ef6_3cf2_83e6_c192, // coupon_applied
    0xddb4_6074_6d76_07ce, // product_added_to_wishlist
    0x448c_6b20_af96_478c, // product_shared
    0x560f_a11d_cce9_3d53, // product_reviewed
    0x0dab_d41d_8460_6303, // products_searched
    0x8a1e_8cd0_03c8_3e27, // promotion_clicked
    0x5e47_832d_900d_584b, // identify
];

/// Currencies known to every reader; written as their place + 1.
pub(crate) const CURRENCIES: [&str; 24] = [
    "EUR", "USD", "GBP", "ILS", "CHF", "PLN", "CZK", "SEK", "NOK", "DKK", "CAD", "AUD", "JPY",
    "CNY", "INR", "BRL", "MXN", "TRY", "RON", "HUF", "NZD", "ZAR", "KRW", "RUB",
];

/// Texts known to every reader: channels, then countries.
pub(crate) const TEXTS: [&str; 34] = [
    "web", "app", "mobile", "store", "server", "email", "AT", "AU", "BE", "BR", "CA", "CH", "CZ",
    "DE", "DK", "ES", "FI", "FR", "GB", "GR", "HU", "IE", "IL", "IN", "IT", "JP", "NL", "NO", "NZ",
    "PL", "PT", "RO", "SE", "US",
];

/// Texts longer than this are spelled each time, so that few bytes can't unfold to many.
const LONGEST_KNOWN_TEXT: usize = 64;
/// So many texts are remembered.
const MOST_KNOWN_TEXTS: usize = 256;
/// So many ids are searched one by one before an index pays.
const FEW: usize = 64;

/// Ids in order of appearance. Written as place + 1, or as 0 and the eight bytes of an id that is new.
#[derive(Debug)]
pub(crate) struct Ids {
    /// Those beyond [`IDS`].
    own: SmallVec<[u64; 32]>,
    /// The first place of each id among the first `indexed` of them.
    index: BTreeMap<u64, usize>,
    indexed: usize,
}

/// Short texts in order of appearance. Written as place + 1, or as 0, length and bytes.
#[derive(Debug)]
pub(crate) struct Texts<'a> {
    /// Those beyond [`TEXTS`].
    own: Vec<&'a str>,
}

// === impl Ids ===

impl Ids {
    pub(crate) fn new() -> Self {
        Self { own: SmallVec::new(), index: BTreeMap::new(), indexed: 0 }
    }

    /// Adds an id that was spelled elsewhere.
    pub(crate) fn push(&mut self, id: NameId) {
        self.own.push(id.get());
    }

    pub(crate) fn put(&mut self, out: &mut Vec<u8>, id: NameId) {
        match self.find(id) {
            Some(place) => put_count(out, place + 1),
            None => {
                out.push(0);
                put_id(out, id);
                self.push(id);
            }
        }
    }

    pub(crate) fn take(&mut self, input: &mut Input<'_>) -> Result<NameId, Corrupt> {
        let token: usize = input.number()?;
        if token == 0 {
            let id = take_id(input)?;
            self.push(id);
            return Ok(id);
        }
        let place = token - 1;
        let id = IDS.get(place).or_else(|| self.own.get(place - IDS.len()));
        id.copied().map(NameId::new).ok_or(Corrupt::Reference)
    }

    fn find(&mut self, id: NameId) -> Option<usize> {
        if let Some(place) = IDS.iter().position(|&known| known == id.get()) {
            return Some(place);
        }
        let place = if self.own.len() <= FEW {
            self.own.iter().position(|&known| known == id.get())
        } else {
            for (place, &known) in self.own.iter().enumerate().skip(self.indexed) {
                self.index.entry(known).or_insert(place);
            }
            self.indexed = self.own.len();
            self.index.get(&id.get()).copied()
        };
        place.map(|place| place + IDS.len())
    }
}

// === impl Texts ===

impl<'a> Texts<'a> {
    pub(crate) fn new() -> Self {
        Self { own: Vec::new() }
    }

    pub(crate) fn put(&mut self, out: &mut Vec<u8>, text: &'a str) {
        let same = |known: &&str| *known == text;
        let own = || self.own.iter().position(same).map(|place| place + TEXTS.len());
        match TEXTS.iter().position(same).or_else(own) {
            Some(place) => put_count(out, place + 1),
            None => {
                out.push(0);
                put_text(out, text);
                self.learn(text);
            }
        }
    }

    pub(crate) fn take(&mut self, input: &mut Input<'a>) -> Result<&'a str, Corrupt> {
        let token: usize = input.number()?;
        if token == 0 {
            let text = input.text()?;
            self.learn(text);
            return Ok(text);
        }
        let place = token - 1;
        let text = TEXTS.get(place).or_else(|| self.own.get(place - TEXTS.len()));
        text.copied().ok_or(Corrupt::Reference)
    }

    fn learn(&mut self, text: &'a str) {
        if text.len() <= LONGEST_KNOWN_TEXT && TEXTS.len() + self.own.len() < MOST_KNOWN_TEXTS {
            self.own.push(text);
        }
    }
}

pub(crate) fn put_id(out: &mut Vec<u8>, id: NameId) {
    out.extend_from_slice(&id.get().to_le_bytes());
}

pub(crate) fn take_id(input: &mut Input<'_>) -> Result<NameId, Corrupt> {
    Ok(NameId::new(u64::from_le_bytes(input.array()?)))
}

/// A known currency as one byte; another as 0 and its three letters.
pub(crate) fn put_currency(out: &mut Vec<u8>, currency: Currency) {
    let letters = currency.bytes();
    match CURRENCIES.iter().zip(1_u8..).find(|(known, _)| known.as_bytes() == letters) {
        Some((_, code)) => out.push(code),
        None => {
            out.push(0);
            out.extend_from_slice(&letters);
        }
    }
}

pub(crate) fn take_currency(input: &mut Input<'_>) -> Result<Currency, Corrupt> {
    let letters = match input.byte()? {
        0 => std::str::from_utf8(input.take(3)?).map_err(|_| Corrupt::Text)?,
        code => CURRENCIES.get(usize::from(code) - 1).ok_or(Corrupt::Code)?,
    };
    Currency::try_new(letters).ok_or(Corrupt::Text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tzeva_model::NameKind;

    #[test]
    fn known_ids_are_those_of_their_names() {
        assert_eq!(IDS[0], NameId::of(NameKind::Shop, "").get());
        let events = [
            "page_viewed",
            "product_list_viewed",
            "product_viewed",
            "product_added",
            "product_removed",
            "cart_viewed",
            "checkout_started",
            "checkout_step_completed",
            "payment_info_entered",
            "order_completed",
            "order_refunded",
            "order_cancelled",
            "coupon_applied",
            "product_added_to_wishlist",
            "product_shared",
            "product_reviewed",
            "products_searched",
            "promotion_clicked",
            "identify",
        ];
        let ids = events.map(|event| NameId::of(NameKind::Event, event).get());
        assert_eq!(IDS[1..], ids);
    }

    #[test]
    fn an_id_is_spelled_once_and_found_among_many() {
        let (mut ids, mut out) = (Ids::new(), Vec::new());
        for _ in 0..2 {
            (0..500).for_each(|id| ids.put(&mut out, NameId::new(id * 7)));
        }
        assert_eq!(out.len(), 500 * 9 + 107 + 393 * 2);
        let (mut ids, mut input) = (Ids::new(), Input::new(&out));
        for id in (0..500).chain(0..500) {
            assert_eq!(ids.take(&mut input), Ok(NameId::new(id * 7)));
        }
    }
}
