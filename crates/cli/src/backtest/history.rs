//! Rules over history: what `backtest` and `audience diff` have in common. The recipe is [`History::replay`].

use crate::audience::{self, given::Given};
use crate::exit::Failure;
use crate::{out, rules, wiring};
use anyhow::{Context, anyhow};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tzeva_audience::{CheckSettings, RuleSet};
use tzeva_backtest::finished::Finished;
use tzeva_backtest::gather::{self, Gathered, Source};
use tzeva_backtest::input::Places;
use tzeva_backtest::ledger;
use tzeva_backtest::progress::Progress;
use tzeva_backtest::replay::{self, Plan, Replayed};
use tzeva_backtest::runs::Sorting;
use tzeva_backtest::unseen::unseen;
use tzeva_model::UnixMillis;

/// Which history, and how it is read.
#[derive(clap::Args)]
pub(crate) struct History {
    /// Events: a JSON object a line (plain, gzip or zstd; `-` is stdin), Avro container files, Parquet where built in.
    /// They need not be sorted.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    events: Vec<PathBuf>,
    /// Run deadlines up to and including this instant (RFC 3339), or `max`: all there are. Later events are left out.
    /// Left out: the last event's time.
    #[arg(long, value_name = "T", value_parser = instant)]
    until: Option<UnixMillis>,
    /// The settings file; left out: defaults.
    #[arg(long, value_name = "FILE", env = "TZEVA_CONFIG")]
    config: Option<PathBuf>,
    /// How much memory events and changes may take: what is beyond it goes to a temporary file.
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = size)]
    memory: usize,
    /// Stop at the first record that is no event, instead of counting it.
    #[arg(long)]
    strict: bool,
}

/// Rules, and what they need of an event.
struct Rules {
    sets: Vec<Arc<RuleSet>>,
    decode: tzeva_decode::Settings,
}

// === impl History ===

impl History {
    /// Compiles each folder, and replays history under its rules; changes under the first are written to `changes`.
    pub(crate) fn replay(
        &self,
        folders: &[&Path],
        paint: Option<&Path>,
        changes: Option<&mut dyn Write>,
    ) -> Result<Finished, Failure> {
        use_small_pages();
        let given = Given::load(self.config.as_deref())?;
        let rules = Rules::load(folders, paint, &given)?;
        let mut progress = Progress::start();
        let begun = Instant::now();
        let gathered = self.gather(&rules, &mut progress);
        progress.end();
        let gathered = gathered?;
        let read = begun.elapsed();
        let (first, last) = gathered.found.span.ok_or_else(|| nothing(&gathered))?;
        let (first, last) = (UnixMillis::new(first), UnixMillis::new(last));
        let until = self.until.unwrap_or(last);
        if until < first {
            return Err(Failure::settings(anyhow!(
                "--until {until} is before the first event, {first}: there would be nothing to decide; events reach to {last}"
            )));
        }
        let settings =
            tzeva_engine::Settings { backtest: true, ..wiring::engine_settings(&given.settings) };
        let text = changes.is_some();
        let plan = Plan { rules: &rules.sets, settings, until, text, memory: self.memory / 2 };
        let replayed = replay::replay(&plan, &gathered, &mut progress);
        progress.end();
        let mut replayed = replayed.map_err(Failure::world)?;
        let end = if until == UnixMillis::MAX { replayed.last } else { until };
        let span = (first, end);
        let changes = settle(&mut replayed, span, changes).map_err(Failure::world)?;
        let unseen = unseen(&rules.sets, &gathered.names);
        let Gathered { events, places, mut found, .. } = gathered;
        found.refused.merge(std::mem::take(&mut replayed.refused));
        let took = (read, begun.elapsed() - read);
        let spilled = events.spilled() + replayed.changes.spilled();
        let sets = rules.sets;
        let finished =
            Finished { rules: sets, found, places, unseen, replayed, changes, span, took, spilled };
        if self.strict { strictly(finished) } else { Ok(finished) }
    }

    /// The files that it is read from.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.events.iter().chain(&self.config)
    }

    fn gather(&self, rules: &Rules, progress: &mut Progress) -> Result<Gathered, Failure> {
        let source = Source {
            files: &self.events,
            decode: &rules.decode,
            memory: self.memory / 2,
            strict: self.strict,
        };
        let gathered = gather::gather(&source, progress).map_err(|error| {
            let of_the_disk = error.downcast_ref::<Sorting>().is_some();
            if of_the_disk { Failure::world(error) } else { Failure::settings(error) }
        })?;
        match gathered.found.refused.first.first() {
            Some((number, rejection)) if self.strict => {
                Err(refused(&gathered.places, *number, rejection))
            }
            _ => Ok(gathered),
        }
    }
}

/// Most of what a backtest holds is written once and read once. Huge pages are zeroed whole for it, used or not, which
/// costs more than they save: 5 % of the time and 20 % of the memory in a virtual machine.
fn use_small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages stay");
    }
}

// === impl Rules ===

impl Rules {
    /// Compiles folders; refusals end the run, warnings are shown.
    fn load(folders: &[&Path], paint: Option<&Path>, given: &Given) -> Result<Self, Failure> {
        let mut decode = tzeva_decode::Settings {
            category_separator: given.settings.category_separator.clone(),
            keep: given.settings.history.keep.clone(),
            ..tzeva_decode::Settings::default()
        };
        if let Some(source) = given.settings.sources.first() {
            decode.visitor_id.clone_from(&source.visitor_id);
        }
        let mut sets = Vec::new();
        let known = decode.keep.len();
        for folder in folders {
            let (rules, keep) = compiled(folder, paint, given)?;
            sets.push(Arc::new(rules));
            for field in keep {
                if !decode.keep.contains(&field) {
                    decode.keep.push(field);
                }
            }
        }
        if decode.keep.len() > known {
            let list = decode.keep.join(", ");
            out::note(format!("to run these rules, settings need: history: {{ keep: [{list}] }}"));
        }
        Ok(Self { sets, decode })
    }
}

/// The rules of a folder, and the fields that they need kept.
fn compiled(
    folder: &Path,
    paint: Option<&Path>,
    given: &Given,
) -> Result<(RuleSet, Vec<String>), Failure> {
    let mut files = rules::files(folder)?;
    let mut settings = CheckSettings { keep_what_rules_name: true, ..given.check_settings() };
    if let Some(path) = paint {
        for paint in rules::files(path)? {
            settings.paint_from = Some(paint.path.clone());
            if files.iter().all(|file| file.path != paint.path) {
                files.push(paint);
            }
        }
    }
    let compiled = tzeva_audience::compile(&files, &settings);
    audience::show_problems(&compiled.problems);
    match compiled.rules {
        Some(rules) => Ok((rules, compiled.fields_to_keep)),
        None => {
            let folder = folder.display();
            Err(Failure::settings(anyhow!("the rules of {folder} are refused: see above")))
        }
    }
}

/// Puts changes in order, and writes those of the first rules.
fn settle(
    replayed: &mut Replayed,
    (from, to): (UnixMillis, UnixMillis),
    mut out: Option<&mut dyn Write>,
) -> anyhow::Result<Vec<u64>> {
    let mut counts = Vec::new();
    for (set, tally) in (0..).zip(&mut replayed.tallies) {
        tally.over(from, to);
        let own = if set == 0 { out.take() } else { None };
        let count = ledger::settle(&replayed.changes, set, tally, own);
        counts.push(count.context("write changes")?);
    }
    Ok(counts)
}

/// Why there is no event.
fn nothing(gathered: &Gathered) -> Failure {
    let why = match gathered.found.refused.first.first() {
        None => "the files are empty".into(),
        Some((number, rejection)) => {
            let (count, places) = (gathered.found.refused.count(), &gathered.places);
            let (place, why) = (places.name(*number), places.why(*number, rejection));
            format!("all {count} records were refused, first {place}: {}", out::safe(&why))
        }
    };
    Failure::settings(anyhow!("there is no event in what was given: {why}"))
}

/// Nothing may have been refused.
fn strictly(finished: Finished) -> Result<Finished, Failure> {
    match finished.found.refused.first.first() {
        Some((number, rejection)) => Err(refused(&finished.places, *number, rejection)),
        None => Ok(finished),
    }
}

/// Why a strict run ends.
fn refused(places: &Places, number: u64, rejection: &tzeva_model::Rejection) -> Failure {
    let (place, rejection) = (places.name(number), out::safe(&places.why(number, rejection)));
    Failure::settings(anyhow!(
        "{place}: {rejection}: mend the record, or leave out --strict to have such records counted and passed over"
    ))
}

/// An instant as people write it, or `max`.
fn instant(text: &str) -> Result<UnixMillis, String> {
    if text == "max" {
        return Ok(UnixMillis::MAX);
    }
    // As in events, which reach further than what else people write.
    if let Some(instant) = tzeva_decode::instant(text) {
        return Ok(instant);
    }
    let instant: jiff::Timestamp = text.parse().map_err(|error| {
        format!("give an RFC 3339 instant such as 2026-11-22T10:00:00Z, or max ({error})")
    })?;
    Ok(UnixMillis::new(instant.as_millisecond()))
}

/// A number of bytes with its unit.
fn size(text: &str) -> Result<usize, String> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let parsed = units.iter().find_map(|(unit, bytes)| {
        let number: usize = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(*bytes)
    });
    parsed.ok_or_else(|| "give a whole number of KiB, MiB or GiB, such as 512MiB".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit() {
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("2 GiB"), Ok(2 << 30));
        for wrong in ["512", "1.5GiB", "MiB", "-1MiB", "99999999999999GiB", "1MB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
