//! One call as both wire formats fill it: borrowed, unjudged values under the names of the Segment spec. What they mean
//! is decided once, in `assemble`.

/// A value as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// Not there, or null.
    #[default]
    Absent,
    /// Text.
    Text(&'a str),
    /// A number as JSON writes it.
    Digits(&'a str),
    /// A whole number.
    Long(i64),
    /// A single-precision float.
    Float(f32),
    /// A double-precision float.
    Double(f64),
    /// `unscaled` × 10^-`scale`.
    Decimal { unscaled: i128, scale: u32 },
    /// True or false.
    Bool(bool),
    /// An instant, in milliseconds since the Unix epoch.
    Instant(i64),
    /// Something with parts; the word says what, for people.
    Composite(&'static str),
}

/// The fields of a product, be it an element of `products` or the event itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Product<'a> {
    pub(crate) product_id: Scalar<'a>,
    pub(crate) sku: Scalar<'a>,
    pub(crate) brand: Scalar<'a>,
    pub(crate) category: Scalar<'a>,
    pub(crate) price: Scalar<'a>,
    pub(crate) quantity: Scalar<'a>,
}

/// One call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Call<'a> {
    pub(crate) kind: Scalar<'a>,
    pub(crate) event: Scalar<'a>,
    pub(crate) message_id: Scalar<'a>,
    pub(crate) timestamp: Scalar<'a>,
    /// What stands at the settings' visitor id paths, in their order.
    pub(crate) visitor_ids: [Scalar<'a>; MAX_ID_PATHS],
    pub(crate) anonymous_id: Scalar<'a>,
    pub(crate) user_id: Scalar<'a>,
    pub(crate) order_id: Scalar<'a>,
    /// The product that the event itself is about.
    pub(crate) own: Product<'a>,
    pub(crate) products: Vec<Product<'a>>,
    pub(crate) revenue: Scalar<'a>,
    pub(crate) total: Scalar<'a>,
    pub(crate) currency: Scalar<'a>,
    /// `coupon`, `coupon_id`, `coupon_name`: the first that is there counts.
    pub(crate) coupon: [Scalar<'a>; 3],
    /// `context.channel`, `properties.channel`: the first that is there counts.
    pub(crate) channel: [Scalar<'a>; 2],
    /// `properties.country`, `context.location.country`: the first that is there counts.
    pub(crate) country: [Scalar<'a>; 2],
    /// `context.page.path`, `properties.path` of a page call: the first that is there counts.
    pub(crate) page_path: [Scalar<'a>; 2],
    /// The properties that history keeps.
    pub(crate) properties: Vec<(&'a str, Scalar<'a>)>,
    pub(crate) traits: Vec<(&'a str, Scalar<'a>)>,
}

/// The most visitor id paths of a topic.
pub(crate) const MAX_ID_PATHS: usize = 8;

// === impl Scalar ===

impl Scalar<'_> {
    /// Tells whether there is something: an empty text is nothing, as producers send it for "unknown".
    pub(crate) fn is_given(&self) -> bool {
        !matches!(self, Self::Absent | Self::Text(""))
    }

    /// What it is, for people.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Absent => "nothing",
            Self::Text(_) => "text",
            Self::Digits(_)
            | Self::Long(_)
            | Self::Float(_)
            | Self::Double(_)
            | Self::Decimal { .. } => "a number",
            Self::Bool(_) => "true or false",
            Self::Instant(_) => "an instant",
            Self::Composite(what) => what,
        }
    }
}

/// The first of `scalars` that is given.
pub(crate) fn first<'a>(scalars: &[Scalar<'a>]) -> Scalar<'a> {
    scalars.iter().copied().find(Scalar::is_given).unwrap_or_default()
}
