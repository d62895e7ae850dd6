//! Where state lies for those who only look: a data folder, or Kafka and Redis.

use crate::config::SettingsArgs;
use crate::exit::Failure;
use crate::holder::Holder;
use crate::kafka;
use crate::publications::Publications;
use crate::run::embedded;
use crate::{rules, wiring};
use std::path::PathBuf;
use std::sync::Arc;
use tzeva_audience::RuleSet;
use tzeva_commit::port::{LogEntry, SourceRecord};
use tzeva_embedded::{Folder, OpenMode};
use tzeva_kafka::admin::Admin;
use tzeva_model::{ChangeNumber, LogOffset, Partition, VisitorId};
use tzeva_painter::{NameTable, name_table};
use tzeva_settings::{Mode, Settings};

/// Which place.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PlaceArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    /// The data folder of an embedded service; left out: the servers of the settings.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// A place that can be looked into.
pub(crate) struct Place {
    pub(crate) settings: Settings,
    data: Option<PathBuf>,
    kind: Kind,
}

enum Kind {
    Folder(Folder),
    Servers(Box<Admin>),
}

/// A message of the changes or dead letters, wherever it lies.
pub(crate) struct Message {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) value: Vec<u8>,
}

/// Messages as they come.
pub(crate) type Messages = Box<dyn Iterator<Item = Result<Message, Failure>>>;

// === impl PlaceArgs ===

impl PlaceArgs {
    fn load(&self) -> Result<Settings, Failure> {
        let mode = if self.data.is_some() { Mode::Embedded } else { Mode::Server };
        Ok(self.settings.load(mode)?.settings)
    }
}

// === impl Place ===

impl Place {
    /// Opens a folder, or makes a client.
    pub(crate) fn open(args: &PlaceArgs) -> Result<Self, Failure> {
        let settings = args.load()?;
        let kind = match &args.data {
            Some(data) => Kind::Folder(embedded::open(data, &settings, OpenMode::MustExist)?),
            None => Kind::Servers(Box::new(kafka::admin(&settings)?)),
        };
        Ok(Self { settings, data: args.data.clone(), kind })
    }

    /// The same, or the service that holds the folder.
    pub(crate) fn open_or_ask(args: &PlaceArgs) -> Result<Result<Self, Holder>, Failure> {
        let Some(data) = &args.data else { return Self::open(args).map(Ok) };
        let settings = args.load()?;
        Ok(match embedded::unlocked(data, &settings, OpenMode::MustExist)? {
            None => Err(Holder::of(data, &settings)?),
            Some(folder) => {
                Ok(Self { settings, data: args.data.clone(), kind: Kind::Folder(folder) })
            }
        })
    }

    /// All partitions, or the one asked for.
    pub(crate) fn partitions(&self, only: Option<u16>) -> Result<Vec<Partition>, Failure> {
        let count = match &self.kind {
            Kind::Folder(folder) => usize::from(folder.partitions()),
            Kind::Servers(admin) => {
                let log = &self.settings.topics.log;
                let asking = kafka::asking(&self.settings.kafka.brokers, "--data DIR");
                let known = admin.partitions(log).map_err(kafka::failure).map_err(asking);
                known?.ok_or_else(|| {
                    let text = "is not there: run `tzeva topics create` first";
                    Failure::settings(anyhow::anyhow!("topic {log} {text}"))
                })?
            }
        };
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        match only {
            None => Ok((0..count).map(Partition::new).collect()),
            Some(one) if one < count => Ok(vec![Partition::new(one)]),
            Some(one) => Err(Failure::settings(anyhow::anyhow!(
                "there is no partition {one}: there are {count}, from 0 on"
            ))),
        }
    }

    /// The rules in force: the newest published ones; where nothing was published yet, the files of the settings.
    pub(crate) fn rules(&self) -> Result<Arc<RuleSet>, Failure> {
        let settings = &self.settings;
        let publications = match &self.data {
            Some(data) => Publications::of_folder(data),
            None => Publications::of_servers(settings)?,
        };
        match publications.head()? {
            Some(head) => rules::of_publication(&head, settings).map(Arc::new),
            None => rules::load(&settings.audiences, &wiring::check_settings(settings)),
        }
    }

    /// What ids stand for.
    pub(crate) fn names(&self) -> Result<NameTable, Failure> {
        match &self.kind {
            Kind::Folder(folder) => {
                let known = folder.names().collect::<Result<Vec<_>, _>>();
                Ok(name_table(known.map_err(embedded::failure)?))
            }
            Kind::Servers(admin) => Ok(name_table(admin.read_names().map_err(Failure::world)?)),
        }
    }

    /// The stored form of a profile.
    pub(crate) fn profile(&self, visitor: &VisitorId) -> Result<Option<Vec<u8>>, Failure> {
        match &self.kind {
            Kind::Folder(folder) => folder.read_profile(visitor).map_err(embedded::failure),
            Kind::Servers(_) => {
                let mut viewer = kafka::redis_viewer(&self.settings)?;
                viewer.read_profile(visitor).map_err(kafka::redis_failure)
            }
        }
    }

    /// The changes of a partition, in order.
    pub(crate) fn changes(&self, partition: Partition) -> Result<Messages, Failure> {
        match &self.kind {
            Kind::Folder(folder) => {
                let changes = folder.read_changes(partition, ChangeNumber::new(0));
                Ok(Box::new(changes.map(|read| {
                    let (_, message) = read.map_err(embedded::failure)?;
                    Ok(Message { headers: message.headers, value: message.value })
                })))
            }
            Kind::Servers(admin) => {
                let changes = admin.read_changes(partition).map_err(Failure::world)?;
                Ok(Box::new(changes.map(|read| read.map(Message::from).map_err(Failure::world))))
            }
        }
    }

    /// The dead letters of a partition, in the order in which they were written down.
    pub(crate) fn dead_letters(&self, partition: Partition) -> Result<Messages, Failure> {
        match &self.kind {
            Kind::Folder(folder) => {
                let all = folder.dead_letters().filter(move |letter| {
                    letter.as_ref().map_or(true, |letter| letter.partition == partition)
                });
                Ok(Box::new(all.map(|read| {
                    let message = read.map_err(embedded::failure)?.message;
                    Ok(Message { headers: message.headers, value: message.value })
                })))
            }
            Kind::Servers(admin) => {
                let letters = admin.read_dead_letters(partition).map_err(Failure::world)?;
                Ok(Box::new(letters.map(|read| read.map(Message::from).map_err(Failure::world))))
            }
        }
    }

    /// At most `limit` entries of a log, from an offset on.
    pub(crate) fn log(
        &self,
        partition: Partition,
        from: Option<LogOffset>,
        limit: usize,
    ) -> Result<Vec<LogEntry>, Failure> {
        match &self.kind {
            Kind::Servers(admin) => {
                let entries = admin.read_log(partition, from).map_err(Failure::world)?;
                entries.take(limit).collect::<Result<_, _>>().map_err(Failure::world)
            }
            Kind::Folder(folder) => {
                let (mut entries, mut at) = (Vec::new(), from.unwrap_or_default());
                loop {
                    let page = folder.read_log(partition, at, None).map_err(embedded::failure)?;
                    let read = page.entries.len();
                    entries.extend(page.entries.into_iter().take(limit - entries.len()));
                    if read == 0 || entries.len() == limit {
                        return Ok(entries);
                    }
                    at = page.next;
                }
            }
        }
    }
}

// === impl Message ===

impl Message {
    /// The text of a header.
    pub(crate) fn header(&self, name: &str) -> String {
        let found = self.headers.iter().rev().find(|(header, _)| header == name);
        found.map_or_else(String::new, |(_, value)| String::from_utf8_lossy(value).into_owned())
    }
}

impl From<SourceRecord> for Message {
    fn from(record: SourceRecord) -> Self {
        Self { headers: record.headers, value: record.value }
    }
}
