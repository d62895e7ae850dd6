//! Names and their ids. An id is the 64-bit xxh3 (seed 0) of `kind\0canonical name`: anybody can compute it, nobody
//! assigns it, so it survives restarts, moves and replays. What an id stood for is told by the `tzeva.names` topic.

use smallvec::SmallVec;
use std::fmt;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// The id of a name, see the module. Zero is as good an id as any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(u64);

/// What a name names; its word is part of the hashed text, so a brand and a product of one name have two ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// The whole shop; its one name is empty.
    Shop,
    /// An event name, folded to snake case.
    Event,
    /// A product: `product_id`, else `sku`.
    Product,
    /// A brand.
    Brand,
    /// A category path, its parts joined by `/`.
    Category,
    /// An audience.
    Audience,
}

/// A canonical name together with its id. Cheap to clone.
///
/// # Example
/// ```
/// use tzeva_model::{Name, NameKind};
/// let brand = Name::new(NameKind::Brand, "  Acme ");
/// assert_eq!(brand.text(), "Acme");
/// assert_ne!(brand.id(), Name::new(NameKind::Product, "Acme").id());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    id: NameId,
    /// `None` is the empty text: so many names have none where only ids are looked at.
    text: Option<Arc<str>>,
}

/// A category path, root first, never empty: `Shoes`, then `Shoes/Running`.
///
/// Each depth is a [`Name`] whose text is the whole path down to it.
///
/// # Example
/// ```
/// use tzeva_model::Category;
/// let path = Category::from_parts(["Shoes", " Running "]).unwrap();
/// assert_eq!(path.leaf().text(), "Shoes/Running");
/// assert_eq!(path.depths().len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Category(SmallVec<[Name; 2]>);

// === impl NameId ===

impl NameId {
    /// The id with this number, as read from a stored form.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number, for a stored form.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The id of `canonical`, which must be canonical already (trimmed; category parts joined by `/`).
    #[must_use]
    pub fn of(kind: NameKind, canonical: &str) -> Self {
        let mut bytes: SmallVec<[u8; 128]> = SmallVec::new();
        bytes.extend_from_slice(kind.word().as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(canonical.as_bytes());
        Self(xxh3_64(&bytes))
    }
}

impl fmt::Display for NameId {
    /// Writes `#` and 16 hex digits: how an id shows whose name isn't known yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:016x}", self.0)
    }
}

// === impl NameKind ===

impl NameKind {
    /// Every kind, in a fixed order.
    pub const ALL: [Self; 6] =
        [Self::Shop, Self::Event, Self::Product, Self::Brand, Self::Category, Self::Audience];

    /// The word that is hashed before the name; never renamed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Event => "event",
            Self::Product => "product",
            Self::Brand => "brand",
            Self::Category => "category",
            Self::Audience => "audience",
        }
    }
}

// === impl Name ===

impl Name {
    /// Trims `text` and computes its id.
    #[must_use]
    pub fn new(kind: NameKind, text: &str) -> Self {
        let text = text.trim();
        Self { id: NameId::of(kind, text), text: (!text.is_empty()).then(|| text.into()) }
    }

    /// A name of which only the id is known: its text is empty. For whoever decides, since decisions look at ids.
    #[must_use]
    pub fn of_id(id: NameId) -> Self {
        Self { id, text: None }
    }

    /// The event `text`, folded by [`snake_case`]; may be empty.
    #[must_use]
    pub fn event(text: &str) -> Self {
        Self::new(NameKind::Event, &snake_case(text))
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> NameId {
        self.id
    }

    /// The canonical text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// The canonical text, to be kept by whoever keeps many; `None` if it is empty.
    #[must_use]
    pub const fn shared(&self) -> Option<&Arc<str>> {
        self.text.as_ref()
    }
}

// === impl Category ===

impl Category {
    /// A path from its parts, each trimmed, empty ones dropped; `None` if nothing is left.
    pub fn from_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut depths: SmallVec<[Name; 2]> = SmallVec::new();
        for part in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
            let path = match depths.last() {
                Some(above) => format!("{}/{part}", above.text()),
                None => part.to_owned(),
            };
            depths.push(Name::new(NameKind::Category, &path));
        }
        (!depths.is_empty()).then_some(Self(depths))
    }

    /// The path whose depths have these ids, the shallowest first, without their texts.
    #[must_use]
    pub fn of_ids(ids: impl IntoIterator<Item = NameId>) -> Option<Self> {
        let depths: SmallVec<[Name; 2]> = ids.into_iter().map(Name::of_id).collect();
        (!depths.is_empty()).then_some(Self(depths))
    }

    /// The path `text`, split at `/` and `>`; `None` if nothing is left.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_parts(text.split(['/', '>']))
    }

    /// The names of all depths, root first; never empty.
    #[must_use]
    pub fn depths(&self) -> &[Name] {
        &self.0
    }

    /// The whole path.
    #[must_use]
    pub fn leaf(&self) -> &Name {
        &self.0[self.0.len() - 1]
    }
}

/// Folds an event name to snake case: camel-case humps and runs of anything but letters and digits become one `_`,
/// lower case, trimmed. A run of capitals is one hump: `HTTPError` becomes `http_error`.
///
/// # Example
/// ```
/// use tzeva_model::snake_case;
/// assert_eq!(snake_case("Product Added"), "product_added");
/// assert_eq!(snake_case("ProductAdded"), snake_case("product_added"));
/// ```
#[must_use]
pub fn snake_case(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 4);
    let mut before: Option<char> = None;
    let mut rest = text.chars().peekable();
    while let Some(this) = rest.next() {
        if !this.is_alphanumeric() {
            before = None;
            continue;
        }
        let hump = match before {
            None => true,
            Some(_) if !this.is_uppercase() => false,
            Some(last) => {
                !last.is_uppercase() || rest.peek().is_some_and(|next| next.is_lowercase())
            }
        };
        if hump && !folded.is_empty() {
            folded.push('_');
        }
        // Some letters lower to a letter and a mark, and a mark alone would part the word at the next folding.
        folded.extend(this.to_lowercase().filter(|c| c.is_alphanumeric()));
        before = Some(this);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden: other languages compute the same ids, so these never change.
    #[test]
    fn ids_are_xxh3_of_kind_zero_name() {
        // Computed by the Python package `xxhash`, not by the crate that we use.
        assert_eq!(NameId::of(NameKind::Brand, "Acme").get(), 0x32e4_e729_cd16_a55e);
        assert_eq!(NameId::of(NameKind::Event, "order_completed").get(), 0x6a0a_daca_90e1_551e);
        assert_eq!(NameId::of(NameKind::Category, "Shoes/Running").get(), 0xa008_fd5f_3086_b2ad);
        assert_eq!(NameId::of(NameKind::Shop, "").get(), 0x486d_46da_b9e5_c236);
    }

    #[test]
    fn event_names_fold_to_snake_case() {
        for (text, want) in [
            ("Product Added", "product_added"),
            ("ProductAdded", "product_added"),
            ("product_added", "product_added"),
            (" --Order  Completed! ", "order_completed"),
            ("HTTPError", "http_error"),
            ("page2View", "page2_view"),
            ("שלום Shop", "שלום_shop"),
            ("İstanbul", "istanbul"),
            ("!!!", ""),
        ] {
            assert_eq!(snake_case(text), want, "{text}");
            assert_eq!(snake_case(want), want, "folding twice folds once");
        }
        assert_eq!(Name::event("Order Completed").id().get(), 0x6a0a_daca_90e1_551e);
    }

    #[test]
    fn a_category_path_is_split_at_both_separators() {
        let path = Category::parse("/Shoes > Running/ Trail ").unwrap();
        assert_eq!(path.leaf().text(), "Shoes/Running/Trail");
        assert_eq!(Category::parse(" > / "), None);
    }

    #[test]
    fn a_category_drops_empty_parts_and_keeps_case() {
        let path = Category::from_parts(["", " Shoes", "", "Running "]).unwrap();
        let texts: Vec<_> = path.depths().iter().map(Name::text).collect();
        assert_eq!(texts, ["Shoes", "Shoes/Running"]);
        assert_eq!(Category::from_parts([" ", ""]), None);
    }
}
