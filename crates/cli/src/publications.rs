//! Where publications of rules lie: a topic, or files beside a data folder. Blocks.

use crate::exit::Failure;
use crate::kafka;
use crate::run::embedded;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tzeva_embedded::{Folder, RulesFolder};
use tzeva_kafka::RulesTopic;
use tzeva_rulebook::{Book, Publication, Standing};
use tzeva_settings::Settings;

/// How often a folder is looked at for new publications.
const LOOK: Duration = Duration::from_millis(500);

/// A place of publications.
#[derive(Clone, Debug)]
pub(crate) enum Publications {
    Topic(RulesTopic),
    Folder(RulesFolder),
}

/// Where to follow from: what was read before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    Offset(i64),
    Ordinal(u64),
}

// === impl Publications ===

impl Publications {
    /// The topic of the settings.
    pub(crate) fn of_servers(settings: &Settings) -> Result<Self, Failure> {
        RulesTopic::new(&kafka::settings(settings)).map(Self::Topic).map_err(kafka::failure)
    }

    /// The files beside a data folder.
    pub(crate) fn of_folder(data: &Path) -> Self {
        Self::Folder(RulesFolder::of(data))
    }

    /// The same of one that must be there already: a slip of the pen is no folder without publications.
    pub(crate) fn of_existing(data: &Path) -> Result<Self, Failure> {
        Folder::must_exist(data).map_err(embedded::failure)?;
        Ok(Self::of_folder(data))
    }

    /// All publications that there are now, and where to follow from.
    pub(crate) fn read(&self) -> Result<(Book, From), Failure> {
        match self {
            Self::Topic(topic) => {
                let read = topic.read().map_err(Failure::world);
                let (book, next) = read.map_err(kafka::asking(topic.brokers(), "--data DIR"))?;
                Ok((book, From::Offset(next)))
            }
            Self::Folder(folder) => {
                let (book, next) = folder.read().map_err(Failure::world)?;
                Ok((book, From::Ordinal(next)))
            }
        }
    }

    /// Publishes, unless somebody else was sooner.
    pub(crate) fn publish(&self, publication: &Publication) -> Result<Standing, Failure> {
        match self {
            Self::Topic(topic) => topic.publish(publication).map_err(Failure::world),
            Self::Folder(folder) => folder.publish(publication).map_err(Failure::world),
        }
    }

    /// Hands over what is published from then on, as [`Book::feed`] takes it, until what is given back is dropped.
    pub(crate) fn follow(
        &self,
        from: From,
        take: impl FnMut(&[u8], Option<&[u8]>) + Send + 'static,
    ) -> anyhow::Result<Box<dyn Send>> {
        match (self, from) {
            (Self::Topic(topic), From::Offset(offset)) => Ok(Box::new(topic.follow(offset, take)?)),
            (Self::Topic(topic), From::Ordinal(_)) => Ok(Box::new(topic.follow(0, take)?)),
            (Self::Folder(folder), from) => {
                let from = if let From::Ordinal(ordinal) = from { ordinal } else { 1 };
                Ok(Box::new(folder.follow((from, LOOK), take)?))
            }
        }
    }

    /// The publication that counts, if there is one.
    pub(crate) fn head(&self) -> Result<Option<Arc<Publication>>, Failure> {
        Ok(self.read()?.0.head().cloned())
    }
}
