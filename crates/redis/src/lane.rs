//! One connection's lane: whatever requests wait become one pipeline, in the order of the calls; its answers come back
//! in that order. While a pipeline is under way the next requests gather, so batches grow with the load by themselves.
//!
//! A pipeline ends in one of three ways:
//! * all answers came: each request gets its own;
//! * the server did not know the script (a restart, a failover, `SCRIPT FLUSH`): it surely did not run, so the requests
//!   from the first such one on are sent once more, behind a `SCRIPT LOAD`;
//! * an error or a timeout: nobody knows what was done. Every apply is answered `Unknown`, every read with the error,
//!   and the connection is given up, so that no late answer is taken for another's. The next requests connect anew, and
//!   walks that began on the former one fail.

use crate::apply;
use crate::cursor::Line;
use crate::reply::{bulk, items};
use crate::settings::Target;
use crate::{RedisStoreError, Server, keys};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisError, Value, cmd};
use std::collections::VecDeque;
use tokio::sync::mpsc::UnboundedReceiver;
use tzeva_commit::Marker;
use tzeva_commit::port::{
    Apply, ApplyResult, PortError, ScanPage, ShardRead, Sink, StoreReply, Ticket,
};
use tzeva_model::{Partition, Shard, UnixMillis, VisitorId};

/// Profiles gathered for one pipeline.
const MAX_PROFILES: usize = 16_384;
/// What `HSCAN` is asked for.
const SCAN_COUNT: usize = 512;

pub(crate) enum Job {
    Read(Partition, Ticket, Vec<(Shard, Vec<VisitorId>)>),
    Apply(Partition, Ticket, Vec<Apply>),
    Scan(Partition, Ticket, Shard, u64),
    Due(Partition, Ticket, Shard, UnixMillis),
    ForgetDue(Shard, UnixMillis),
    /// A walk that can't go on.
    Lost(Partition, Ticket, PortError),
}

pub(crate) struct Lane {
    target: Target,
    sink: Sink<StoreReply>,
    connection: Option<MultiplexedConnection>,
    /// Which one it is, or will be.
    line: Line,
}

/// How one command ended.
type Answer = Result<Value, PortError>;

// === impl Lane ===

impl Lane {
    pub(crate) async fn start(
        target: Target,
        sink: Sink<StoreReply>,
    ) -> Result<(Self, Server), RedisStoreError> {
        let mut connection = target.connect().await?;
        let server = Server::ask(&target, &mut connection).await?;
        Ok((Self { target, sink, connection: Some(connection), line: Line::default() }, server))
    }

    pub(crate) async fn run(mut self, mut jobs: UnboundedReceiver<Job>) {
        while let Some(first) = jobs.recv().await {
            let mut profiles = first.profiles();
            let mut batch = vec![first];
            while profiles < MAX_PROFILES
                && let Ok(next) = jobs.try_recv()
            {
                profiles += next.profiles();
                batch.push(next);
            }
            self.carry_out(batch).await;
        }
    }

    async fn carry_out(&mut self, batch: Vec<Job>) {
        let line = self.line;
        let batch: Vec<Job> = batch.into_iter().map(|job| job.on(line)).collect();
        let mut pipeline = Pipeline::new();
        let counts: Vec<usize> =
            batch.iter().map(|job| job.add_to(&mut pipeline, &self.target.prefix)).collect();
        let mut answers: VecDeque<Answer> = match self.send_all(&pipeline, &batch).await {
            Ok(answers) => answers.into_iter().map(|answer| self.answer(answer)).collect(),
            Err(error) => {
                // No late answer may be taken for another's.
                self.connection = None;
                self.line = line.next();
                let error = error.port();
                pipeline.cmd_iter().map(|_| Err(error.clone())).collect()
            }
        };
        for (job, count) in batch.into_iter().zip(counts) {
            let its = answers.drain(..count.min(answers.len())).collect();
            if let Some(reply) = job.reply(its, line) {
                (self.sink)(reply);
            }
        }
    }

    /// Sends all commands; those that met a server without the script, and what follows them, once more.
    async fn send_all(
        &mut self,
        pipeline: &Pipeline,
        batch: &[Job],
    ) -> Result<Vec<Value>, RedisStoreError> {
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        let mut values = self.send(pipeline).await?;
        if let Some(first) = values.iter().position(lacks_script) {
            let mut again = Pipeline::new();
            again.add_command(apply::load());
            let commands = batch.iter().flat_map(|job| job.commands(&self.target.prefix));
            for command in commands.skip(first) {
                again.add_command(command);
            }
            values.truncate(first);
            values.extend(self.send(&again).await?.into_iter().skip(1));
        }
        Ok(values)
    }

    async fn send(&mut self, pipeline: &Pipeline) -> Result<Vec<Value>, RedisStoreError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(self.target.connect().await?),
        };
        let values = connection
            .req_packed_commands(pipeline, 0, pipeline.len())
            .await
            .map_err(RedisStoreError::on(&self.target.address, "send commands to"))?;
        if values.len() == pipeline.len() {
            return Ok(values);
        }
        let address = self.target.address.clone();
        Err(RedisStoreError::Answer { attempt: "send commands to", address })
    }

    /// Tells an error of one command from its value.
    fn answer(&self, value: Value) -> Answer {
        value.extract_error().map_err(|error: RedisError| {
            RedisStoreError::on(&self.target.address, "run a command on")(error).port()
        })
    }
}

// === impl Job ===

impl Job {
    /// As it is sent on `line`: with the server's own cursor, if that is good there.
    fn on(self, line: Line) -> Self {
        match self {
            Self::Scan(partition, ticket, shard, cursor) => match line.unpack(shard, cursor) {
                Ok(theirs) => Self::Scan(partition, ticket, shard, theirs),
                Err(error) => Self::Lost(partition, ticket, error),
            },
            other => other,
        }
    }

    /// How many profiles it is about, more or less.
    fn profiles(&self) -> usize {
        match self {
            Self::Read(_, _, wanted) => wanted.iter().map(|(_, visitors)| 1 + visitors.len()).sum(),
            Self::Apply(_, _, steps) => steps.iter().map(|step| 1 + step.writes.len()).sum(),
            Self::Scan(..) => SCAN_COUNT,
            Self::Due(..) | Self::ForgetDue(..) | Self::Lost(..) => 1,
        }
    }

    /// Adds its commands, and tells how many they are.
    fn add_to(&self, pipeline: &mut Pipeline, prefix: &str) -> usize {
        let commands = self.commands(prefix);
        let count = commands.len();
        for command in commands {
            pipeline.add_command(command);
        }
        count
    }

    fn commands(&self, prefix: &str) -> Vec<Cmd> {
        match self {
            Self::Read(_, _, wanted) => {
                wanted.iter().map(|(shard, visitors)| read(prefix, *shard, visitors)).collect()
            }
            Self::Apply(_, _, steps) => {
                steps.iter().map(|step| apply::call(prefix, step)).collect()
            }
            Self::Scan(_, _, shard, cursor) => {
                vec![scan(prefix, *shard, *cursor)]
            }
            Self::Due(_, _, shard, bucket) => {
                let mut members = cmd("SMEMBERS");
                members.arg(keys::due(prefix, *shard, *bucket));
                vec![members]
            }
            Self::ForgetDue(shard, bucket) => {
                let mut unlink = cmd("UNLINK");
                unlink.arg(keys::due(prefix, *shard, *bucket));
                vec![unlink]
            }
            Self::Lost(..) => Vec::new(),
        }
    }

    /// The port's answer out of the commands' answers, which came over `line`.
    fn reply(self, answers: Vec<Answer>, line: Line) -> Option<StoreReply> {
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or_else(|| Err(unexpected("a command")));
        match self {
            Self::Read(partition, ticket, wanted) => {
                let shards = wanted
                    .into_iter()
                    .map(|(shard, visitors)| shard_read(shard, visitors.len(), next()?))
                    .collect();
                Some(StoreReply::Read(partition, ticket, shards))
            }
            Self::Apply(partition, ticket, steps) => {
                let outcome = |step: Apply| (step.shard, outcome(step.shard, next()));
                let done = steps.into_iter().map(outcome).collect();
                Some(StoreReply::Applied(partition, ticket, done))
            }
            Self::Scan(partition, ticket, shard, _) => {
                let page = next().and_then(|answer| {
                    let page = scan_page(shard, answer)?;
                    let next = page.next.map(|theirs| line.pack(theirs)).transpose()?;
                    Ok(ScanPage { next, ..page })
                });
                Some(StoreReply::Scanned(partition, ticket, page))
            }
            Self::Due(partition, ticket, shard, _) => {
                let members = next().and_then(|answer| {
                    let members = items(answer).ok_or_else(|| unexpected("SMEMBERS"))?;
                    members.into_iter().map(|member| visitor(shard, member)).collect()
                });
                Some(StoreReply::Due(partition, ticket, members))
            }
            Self::ForgetDue(shard, _) => {
                if let Err(error) = next() {
                    tracing::warn!(%error, %shard, "a due set that is past could not be removed");
                }
                None
            }
            Self::Lost(partition, ticket, error) => {
                Some(StoreReply::Scanned(partition, ticket, Err(error)))
            }
        }
    }
}

/// The command that reads a shard's marker and profiles atomically.
pub(crate) fn read(prefix: &str, shard: Shard, visitors: &[VisitorId]) -> Cmd {
    let mut read = cmd("HMGET");
    read.arg(keys::profiles(prefix, shard)).arg(keys::MARKER);
    for visitor in visitors {
        read.arg(visitor.as_str());
    }
    read
}

/// The command that reads the next page of a walk over a shard.
pub(crate) fn scan(prefix: &str, shard: Shard, cursor: u64) -> Cmd {
    let mut scan = cmd("HSCAN");
    scan.arg(keys::profiles(prefix, shard)).arg(cursor).arg("COUNT").arg(SCAN_COUNT);
    scan
}

/// What `read` brought.
pub(crate) fn shard_read(
    shard: Shard,
    count: usize,
    answer: Value,
) -> Result<ShardRead, PortError> {
    let mut values = items(answer).ok_or_else(|| unexpected("HMGET"))?.into_iter().map(bulk);
    let stored = values.next().ok_or_else(|| unexpected("HMGET"))?;
    let marker =
        stored.map(|stored| Marker::decode(&stored)).transpose().map_err(|error| PortError {
            attempt: format!("read the marker of shard {shard}: {error}"),
            transient: false,
        })?;
    let profiles: Vec<_> = values.collect();
    if profiles.len() == count {
        Ok(ShardRead { shard, marker, profiles })
    } else {
        Err(unexpected("HMGET"))
    }
}

fn outcome(shard: Shard, answer: Answer) -> ApplyResult {
    let unknown = |text| {
        let attempt = format!("apply to shard {shard}: {text}");
        PortError { attempt, transient: true }
    };
    match answer {
        Ok(answer) => apply::result(answer, unknown),
        Err(PortError { attempt, transient }) => {
            ApplyResult::Unknown(PortError { transient, ..unknown(attempt) })
        }
    }
}

/// What `scan` brought.
pub(crate) fn scan_page(shard: Shard, answer: Value) -> Result<ScanPage, PortError> {
    let mut parts = items(answer).ok_or_else(|| unexpected("HSCAN"))?.into_iter();
    let cursor = parts
        .next()
        .and_then(bulk)
        .and_then(|bytes| String::from_utf8(bytes).ok()?.parse::<u64>().ok())
        .ok_or_else(|| unexpected("HSCAN"))?;
    let pairs = parts.next().and_then(items).ok_or_else(|| unexpected("HSCAN"))?;
    let mut profiles = Vec::with_capacity(pairs.len() / 2);
    let mut pairs = pairs.into_iter();
    while let (Some(field), Some(value)) = (pairs.next(), pairs.next()) {
        if field != Value::BulkString(keys::MARKER.to_vec()) {
            let profile = bulk(value).ok_or_else(|| unexpected("HSCAN"))?;
            profiles.push((visitor(shard, field)?, profile));
        }
    }
    Ok(ScanPage { shard, profiles, next: (cursor != 0).then_some(cursor) })
}

fn visitor(shard: Shard, value: Value) -> Result<VisitorId, PortError> {
    bulk(value)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| VisitorId::try_new(&text).ok())
        .ok_or_else(|| PortError {
            attempt: format!("read visitors of shard {shard}: a foreign key is among them"),
            transient: false,
        })
}

fn lacks_script(value: &Value) -> bool {
    matches!(value, Value::ServerError(error) if error.code() == "NOSCRIPT")
}

fn unexpected(command: &str) -> PortError {
    PortError { attempt: format!("{command}: unexpected answer of Redis"), transient: false }
}
