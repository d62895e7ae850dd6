//! Topics as operators see them: made, checked, and read by the command line. Blocks; nothing here runs while events
//! flow.

mod browse;
mod feed;
mod shape;
mod wait;

pub use browse::Records;
pub use feed::{Fed, Feeder};
pub use shape::{Plan, TopicFault};

use crate::Error;
use crate::asker::Asker;
use crate::clients;
use crate::context::Context;
use crate::settings::Settings;
use rdkafka::Offset;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use shape::Shape;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tzeva_commit::port::PortError;
use tzeva_model::{SourceOffset, UnixMillis};

const PATIENCE: Duration = Duration::from_secs(15);

/// A client for topics.
pub struct Admin {
    settings: Settings,
    client: AdminClient<Context>,
    asker: Asker,
}

/// What came of making a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was made.
    New(String),
    /// It was there; [`Admin::check`] tells whether it fits.
    Existed(String),
    /// It could not be made: the topic, why.
    Failed(String, String),
}

/// What [`Admin::check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The number of partitions that all topics share; `None` if they don't.
    pub partitions: Option<u16>,
    /// Everything that has to be mended before a start.
    pub faults: Vec<TopicFault>,
}

/// Where a first start begins to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartFrom {
    /// At the oldest record that is there.
    Earliest,
    /// Behind the newest.
    Latest,
    /// At the first record that is not older than this.
    Time(UnixMillis),
}

/// Settings of a topic by name.
type Config = BTreeMap<String, String>;

/// What the cluster says of one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Found {
    partitions: usize,
    replication: usize,
    config: Config,
}

// === impl Admin ===

impl Admin {
    /// Makes the client; brokers are first met at the first request.
    ///
    /// # Errors
    /// If the settings are refused.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        settings.check()?;
        let client = clients::admin(settings)
            .create_with_context(Context)
            .map_err(Error::client("make the client for topics"))?;
        Ok(Self { settings: settings.clone(), client, asker: Asker::new(settings)? })
    }

    /// Makes every topic that isn't there, as `plan` says; changes none that is.
    ///
    /// # Errors
    /// If no broker answers.
    pub fn create(&self, plan: &Plan) -> Result<Vec<Made>, Error> {
        let shapes = shape::wanted(&self.settings.topics, plan);
        let topics: Vec<NewTopic<'_>> = shapes
            .iter()
            .map(|shape| {
                let replication = TopicReplication::Fixed(i32::from(plan.replication));
                let topic = NewTopic::new(&shape.topic, i32::from(shape.partitions), replication);
                shape.config.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
            })
            .collect();
        let results = wait::block_on(self.client.create_topics(&topics, &options()))
            .map_err(Error::client("create topics"))?;
        self.await_leaders(&shapes)?;
        Ok(results
            .into_iter()
            .map(|result| match result {
                Ok(topic) => Made::New(topic),
                Err((topic, RDKafkaErrorCode::TopicAlreadyExists)) => Made::Existed(topic),
                Err((topic, code)) => Made::Failed(topic, code.to_string()),
            })
            .collect())
    }

    /// A topic is there some moments before its partitions have leaders; who makes one wants to use it.
    fn await_leaders(&self, shapes: &[Shape]) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        for shape in shapes {
            // A topic that could not be made is told as such by its result, not waited for to the end.
            while Instant::now() < deadline {
                let count = self.find(&shape.topic)?.map_or(0, |found| found.partitions);
                let wanted: Vec<(&str, i32)> =
                    (0..).take(count).map(|partition| (shape.topic.as_str(), partition)).collect();
                let ready = count > 0 && self.asker.offsets(&wanted, Offset::End).is_ok();
                if ready {
                    break;
                }
                std::thread::park_timeout(Duration::from_millis(50));
            }
        }
        Ok(())
    }

    /// Looks for everything about the topics that would lose data or stop a start. `low_replication` accepts less than
    /// three replicas: for a machine of one's own.
    ///
    /// # Errors
    /// If no broker answers.
    pub fn check(&self, low_replication: bool) -> Result<Checked, Error> {
        let mut found = BTreeMap::new();
        let shapes = shape::wanted(&self.settings.topics, &Plan::default());
        for shape in &shapes {
            if let Some(topic) = self.find(&shape.topic)? {
                found.insert(shape.topic.clone(), topic);
            }
        }
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        for (topic, config) in self.configs(&names)? {
            if let Some(topic) = found.get_mut(&topic) {
                topic.config = config;
            }
        }
        Ok(shape::judge(&self.settings, &found, low_replication))
    }

    /// The number of partitions of `topic`; `None` if it isn't there.
    ///
    /// # Errors
    /// If no broker answers.
    pub fn partitions(&self, topic: &str) -> Result<Option<usize>, Error> {
        Ok(self.find(topic)?.map(|found| found.partitions))
    }

    /// Where to start in every source topic, in the settings' order, of each of `partitions` partitions.
    ///
    /// # Errors
    /// If a broker doesn't answer, or a topic isn't there.
    pub fn start_offsets(
        &self,
        partitions: u16,
        from: StartFrom,
    ) -> Result<Vec<Vec<SourceOffset>>, PortError> {
        let topics = &self.settings.topics.sources;
        let wanted: Vec<(&str, i32)> = (0..i32::from(partitions))
            .flat_map(|partition| topics.iter().map(move |t| (t.name.as_str(), partition)))
            .collect();
        let at = match from {
            StartFrom::Earliest => Offset::Beginning,
            StartFrom::Latest => Offset::End,
            StartFrom::Time(time) => Offset::Offset(time.get()),
        };
        let offsets = self.asker.offsets(&wanted, at)?;
        Ok(offsets.chunks(topics.len().max(1)).map(<[SourceOffset]>::to_vec).collect())
    }

    /// One past the last record of a partition, as of now, and the first that is still there.
    ///
    /// # Errors
    /// If a broker doesn't answer, or the topic isn't there.
    pub fn bounds(&self, topic: &str, partition: u16) -> Result<(i64, i64), PortError> {
        self.asker.bounds(topic, i32::from(partition))
    }

    fn find(&self, topic: &str) -> Result<Option<Found>, Error> {
        let attempt = format!("ask for the topic {topic}");
        let metadata = self
            .client
            .inner()
            .fetch_metadata(Some(topic), PATIENCE)
            .map_err(Error::client(attempt.clone()))?;
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
            return Ok(None);
        };
        match found.error().map(RDKafkaErrorCode::from) {
            None => {}
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                return Ok(None);
            }
            Some(code) => return Err(Error::client(attempt)(KafkaError::MetadataFetch(code))),
        }
        let partitions = found.partitions();
        let replication = partitions.iter().map(|p| p.replicas().len()).min().unwrap_or(0);
        Ok(Some(Found { partitions: partitions.len(), replication, config: BTreeMap::new() }))
    }

    fn configs(&self, topics: &[&str]) -> Result<Vec<(String, Config)>, Error> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: Vec<ResourceSpecifier<'_>> =
            topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
        let answers = wait::block_on(self.client.describe_configs(&wanted, &options()))
            .map_err(Error::client("ask for the settings of topics"))?;
        topics
            .iter()
            .zip(answers)
            .map(|(topic, answer)| {
                let resource = answer.map_err(|code| {
                    Error::client(format!("ask for the settings of {topic}"))(KafkaError::AdminOp(
                        code,
                    ))
                })?;
                Ok(((*topic).to_owned(), to_map(resource)))
            })
            .collect()
    }
}

fn to_map(resource: ConfigResource) -> Config {
    let entries = resource.entries.into_iter();
    entries.filter_map(|entry| Some((entry.name, entry.value?))).collect()
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}
