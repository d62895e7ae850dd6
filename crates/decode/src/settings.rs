//! What the settings say about reading events, checked once.

use crate::call::MAX_ID_PATHS;

/// How the events of a topic are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the visitor id is looked for, in this order: paths of fields, joined by points.
    pub visitor_id: Vec<String>,
    /// What splits a category path; `None`: both `/` and `>`.
    pub category_separator: Option<String>,
    /// The fields that history keeps besides the fixed ones: `page.path`, `properties.NAME`.
    pub keep: Vec<String>,
    /// How many partitions the sources have, a power of two up to 1,024; 0: key and partition are not checked.
    pub partitions: u16,
    /// The writer's schema of topics that carry bare Avro: `site-visit`, `purchase`, or the schema's own JSON text.
    /// `None`: a record's first byte tells JSON, Confluent framing and single-object Avro apart.
    pub bare_schema: Option<String>,
    /// Further Avro schemas, as JSON texts, that single-object records may name by fingerprint.
    pub schemas: Vec<String>,
}

/// Why settings can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// No path, more than eight, or a path with an empty part.
    #[error("visitor_id needs one to eight paths such as anonymousId or context.externalId")]
    VisitorId,
    /// An empty separator.
    #[error("category_separator is empty")]
    CategorySeparator,
    /// Neither `page.path` nor `properties.NAME`.
    #[error("history can't keep `{0}`: name page.path or properties.NAME")]
    Keep(String),
    /// Not a power of two up to 1,024.
    #[error("{0} partitions: give a power of two up to 1024, or 0 to leave placement unchecked")]
    Partitions(u16),
    /// A schema text that is none, or that can't be read as an event.
    #[error("{0}")]
    Schema(String),
}

/// The settings in the form that reading uses.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) visitor_id: Vec<IdPath>,
    pub(crate) category_separator: Option<String>,
    pub(crate) keep_page_path: bool,
    /// The names of kept properties, sorted.
    pub(crate) keep_properties: Vec<String>,
    pub(crate) partitions: u16,
}

/// Where a visitor id may stand.
#[derive(Debug)]
pub(crate) struct IdPath {
    /// As the settings write it.
    pub(crate) text: String,
    /// Its parts.
    pub(crate) keys: Vec<String>,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            visitor_id: vec!["anonymousId".into(), "userId".into()],
            category_separator: None,
            keep: Vec::new(),
            partitions: 0,
            bare_schema: None,
            schemas: Vec::new(),
        }
    }
}

// === impl Compiled ===

impl Compiled {
    pub(crate) fn try_new(settings: &Settings) -> Result<Self, SettingsError> {
        let visitor_id: Vec<IdPath> = settings.visitor_id.iter().map(|p| IdPath::new(p)).collect();
        let count = visitor_id.len();
        if count == 0
            || count > MAX_ID_PATHS
            || visitor_id.iter().any(|p| p.keys.iter().any(String::is_empty))
        {
            return Err(SettingsError::VisitorId);
        }
        if settings.category_separator.as_deref() == Some("") {
            return Err(SettingsError::CategorySeparator);
        }
        let partitions = settings.partitions;
        if partitions != 0 && (!partitions.is_power_of_two() || partitions > tzeva_model::SHARDS) {
            return Err(SettingsError::Partitions(partitions));
        }
        let mut keep_properties = Vec::new();
        for name in settings.keep.iter().filter(|name| *name != "page.path") {
            match name.strip_prefix("properties.") {
                Some(property) if !property.is_empty() => keep_properties.push(property.to_owned()),
                _ => return Err(SettingsError::Keep(name.clone())),
            }
        }
        keep_properties.sort_unstable();
        keep_properties.dedup();
        Ok(Self {
            visitor_id,
            category_separator: settings.category_separator.clone(),
            keep_page_path: settings.keep.iter().any(|name| name == "page.path"),
            keep_properties,
            partitions,
        })
    }

    /// Tells whether history keeps the property `name`.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        self.keep_properties.binary_search_by(|kept| kept.as_str().cmp(name)).is_ok()
    }
}

// === impl IdPath ===

impl IdPath {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), keys: text.split('.').map(str::to_owned).collect() }
    }
}
