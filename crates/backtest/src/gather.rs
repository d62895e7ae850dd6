//! From files to lines in order of time, and from those to events: both beside the thread that decides.
//!
//! Every line is decoded twice: once to learn its instant and whether it is an event at all, once when its turn comes.
//! In between it is kept as it was written, which takes less room than an event does.

use crate::input::{self, Block, Places};
use crate::progress::Progress;
use crate::sort::{Merged, Sorter};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tzeva_decode::{Decoded, Decoder, Raw};
use tzeva_model::{Event, Partition, Rejection, RejectionCode};

/// Lines that are no events, or that the engine could not take.
#[derive(Debug, Default)]
pub struct Refused {
    pub by_code: BTreeMap<RejectionCode, u64>,
    /// The first few by line number.
    pub first: Vec<(u64, Rejection)>,
}

/// All events of the files, sorted.
pub struct Gathered {
    pub lines: Merged,
    pub places: Places,
    pub refused: Refused,
    /// Lines that hold an event.
    pub events: u64,
    /// The instants of the first and the last event.
    pub span: Option<(i64, i64)>,
    /// How many sorted runs went to the disk.
    pub spilled: u64,
}

/// A block whose lines have been looked at.
struct Looked {
    block: Block,
    instants: Vec<Option<i64>>,
    refused: Vec<(u64, Rejection)>,
}

/// Events with the numbers of their lines.
pub type Batch = Vec<(u64, Event)>;

/// Refused lines that are shown.
const SHOWN: usize = 5;
/// Blocks on their way to and from a worker.
const QUEUE: usize = 4;
/// Events of a batch.
const BATCH: usize = 1_024;

// === impl Refused ===

impl Refused {
    pub fn add(&mut self, number: u64, rejection: Rejection) {
        *self.by_code.entry(rejection.code).or_default() += 1;
        let place = self.first.partition_point(|(first, _)| *first < number);
        if place < SHOWN {
            self.first.insert(place, (number, rejection));
            self.first.truncate(SHOWN);
        }
    }

    /// Takes in those of a later step.
    pub fn merge(&mut self, others: Self) {
        for (code, count) in others.by_code {
            *self.by_code.entry(code).or_default() += count;
        }
        self.first.extend(others.first);
        self.first.sort_by_key(|(number, _)| *number);
        self.first.truncate(SHOWN);
    }

    pub fn count(&self) -> u64 {
        self.by_code.values().sum()
    }
}

/// Reads, looks at and sorts all lines.
pub fn gather(
    files: &[PathBuf],
    decode: &tzeva_decode::Settings,
    memory: usize,
    progress: &mut Progress,
) -> anyhow::Result<Gathered> {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8);
    let done: Arc<AtomicU64> = Arc::default();
    let size = input::size(files);
    std::thread::scope(|scope| {
        let (blocks, jobs) = bounded(QUEUE);
        let (results, looked) = bounded(QUEUE);
        let counter = Arc::clone(&done);
        let reader = scope
            .spawn(move || input::read(files, &counter, &mut |block| blocks.send(block).is_ok()));
        for _ in 0..workers {
            let decoder = Decoder::new(decode)?;
            let (jobs, results) = (jobs.clone(), results.clone());
            scope.spawn(move || look(decoder, &jobs, &results));
        }
        drop((jobs, results));
        let mut sorter = Sorter::new(memory);
        let (mut refused, mut events, mut span) = (Refused::default(), 0, None);
        for Looked { block, instants, refused: no } in looked {
            no.into_iter().for_each(|(number, rejection)| refused.add(number, rejection));
            for at in instants.iter().flatten() {
                events += 1;
                let (first, last): (i64, i64) = span.unwrap_or((*at, *at));
                span = Some((first.min(*at), last.max(*at)));
            }
            sorter.push(block, &instants)?;
            progress.reading(events, &done, size);
        }
        let places = reader.join().map_err(|_| anyhow::anyhow!("the reader panicked"))??;
        let spilled = sorter.spilled();
        Ok(Gathered { lines: sorter.sorted()?, places, refused, events, span, spilled })
    })
}

/// Finds the instant of each line.
fn look(mut decoder: Decoder, jobs: &Receiver<Block>, results: &Sender<Looked>) {
    for block in jobs {
        let mut instants = Vec::with_capacity(block.lines.len());
        let mut refused = Vec::new();
        for line in &block.lines {
            let start = line.start as usize;
            let value = &block.bytes[start..start + line.len as usize];
            instants.push(match event(&mut decoder, value) {
                Ok(event) => Some(event.occurred_at.get()),
                Err(rejection) => {
                    refused.push((line.number, rejection));
                    None
                }
            });
        }
        if results.send(Looked { block, instants, refused }).is_err() {
            return;
        }
    }
}

/// Decodes sorted lines into batches until nobody wants more.
pub fn decode(lines: Merged, mut decoder: Decoder, batches: &Sender<Batch>) -> anyhow::Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    for line in lines {
        let line = line?;
        // Whatever was refused at the first look is not among the sorted lines.
        if let Ok(event) = event(&mut decoder, &line.bytes) {
            batch.push((line.number, event));
        }
        if batch.len() == BATCH
            && batches.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).is_err()
        {
            return Ok(());
        }
    }
    let _ = batches.send(batch);
    Ok(())
}

/// A channel of batches.
pub fn channel() -> (Sender<Batch>, Receiver<Batch>) {
    bounded(QUEUE)
}

fn event(decoder: &mut Decoder, value: &[u8]) -> Result<Event, Rejection> {
    let raw = Raw { partition: Partition::new(0), key: None, value, headers: &[] };
    match decoder.decode(&raw) {
        Decoded::Event(event) => Ok(event),
        Decoded::Rejected(rejection) => Err(rejection),
        Decoded::NeedsSchema(key) => Err(Rejection::new(
            RejectionCode::SchemaUnknown,
            format!("a line of NDJSON names an Avro schema, {key}"),
        )),
    }
}
