//! `tzeva audience apply`: shows what other rules would change, refuses what looks like a mistake, and publishes them.
//!
//! It is a command for pipelines: without a terminal nobody is asked, so what a pipeline may do is said by flags. Running
//! services follow what is published; nothing is restarted.

mod ask;
mod print;

use super::given::Given;
use super::{history, report};
use crate::config::SettingsArgs;
use crate::exit::{Exit, Failure};
use crate::out::{self, Output};
use crate::plan::{Plan, hex};
use crate::publications::Publications;
use crate::{rules, wiring};
use serde_json::Value;
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use tzeva_audience::{RuleSet, SourceFile};
use tzeva_plan::{Allowed, Refusal};
use tzeva_rulebook::{Draft, Publication, Standing};
use tzeva_settings::{Mode, Settings};
use tzeva_trial::Trial;

/// Arguments of `tzeva audience apply`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of audience files, tests and the paint file.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    settings: SettingsArgs,
    /// The data folder of an embedded service, which may be running; left out: the servers of the settings.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only if this version still counts: 16 hex digits or the first of them, as `audience history` shows them.
    #[arg(long, value_name = "VERSION", value_parser = version)]
    parent: Option<String>,
    /// This audience may be removed; once for each.
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,
    /// So many members may leave an audience at once, also if they are more than a tenth of it.
    #[arg(long, value_name = "N")]
    allow_exits: Option<u64>,
    /// Profiles that can't be read don't matter: of their visitors nobody knows who would leave.
    #[arg(long)]
    allow_unreadable: bool,
    /// Don't run the tests beside the audiences.
    #[arg(long)]
    skip_tests: bool,
    /// Don't ask.
    #[arg(long)]
    yes: bool,
    /// Show the plan, publish nothing.
    #[arg(long)]
    dry_run: bool,
    /// Why, for those who read the history.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// How the plan and what came of it are written.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Published,
    Unchanged,
    Refused,
    DryRun,
    Declined,
}

/// Rules with the tests beside them.
type Compiled = (RuleSet, Vec<Trial>);

/// All that is told of it.
struct Told {
    end: End,
    /// Why nothing was published; empty unless it was refused.
    refused: Vec<Refusal>,
    /// What is wrong with the rules, if it is they.
    problems: Vec<Value>,
    /// None if it didn't come to one.
    plan: Option<Plan>,
    published: Option<Publication>,
    /// Where it shows how far services are that take it over; none: no service runs.
    watch: Option<String>,
}

// === impl Told ===

impl Told {
    const fn of(end: End, plan: Option<Plan>) -> Self {
        Self { end, refused: Vec::new(), problems: Vec::new(), plan, published: None, watch: None }
    }

    fn refused(refused: Vec<Refusal>, plan: Option<Plan>) -> Self {
        Self { refused, ..Self::of(End::Refused, plan) }
    }

    fn exit(&self) -> Exit {
        match (self.end, self.refused.first()) {
            (_, Some(Refusal::Rules { .. } | Refusal::Settings | Refusal::Remove { .. })) => {
                Exit::Settings
            }
            (_, Some(Refusal::Stale { .. })) => Exit::TryAgain,
            (End::Declined, _) | (_, Some(_)) => Exit::No,
            (_, None) => Exit::Fine,
        }
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let ended = apply(args);
    if args.output == Output::Json {
        print::json(&ended);
    }
    let told = ended?;
    told.refused.iter().for_each(|refusal| out::note(format!("refused: {refusal}")));
    if args.output == Output::Text {
        print::end(&told);
    }
    Ok(told.exit())
}

/// From the folder to a publication, or to why there is none.
fn apply(args: &Args) -> Result<Told, Failure> {
    let mode = if args.data.is_some() { Mode::Embedded } else { Mode::Server };
    let given = Given { settings: args.settings.load(mode)?.settings };
    // People are told where a file lies, as `check` tells them; published paths are relative.
    let lying = rules::files(&args.folder)?;
    let files = rules::relative(&args.folder, &lying);
    let refused = |refusal| Ok(Told::refused(vec![refusal], None));
    let (new, trials) = match compiled(&given, &lying)? {
        Ok((new, trials)) => (Arc::new(new), trials),
        Err(problems) => {
            let folder = args.folder.display().to_string();
            let told = Told::refused(vec![Refusal::Rules { folder }], None);
            return Ok(Told { problems, ..told });
        }
    };
    let failed = if args.skip_tests { 0 } else { failed_tests(&given.settings, &new, &trials) };
    if failed > 0 {
        return refused(Refusal::Tests { failed });
    }
    let publications = match &args.data {
        Some(data) => Publications::of_existing(data)?,
        None => Publications::of_servers(&given.settings)?,
    };
    let book = publications.read()?.0;
    let head = book.head().cloned();
    let held = head.as_ref().map(|head| hex(head.version));
    if let Some(meant) = &args.parent {
        let named = history::beginning(&book, meant)?.map(|named| hex(named.version));
        if named.is_none() || named != held {
            let (meant, counts) = (meant.clone(), counts(head.as_deref()));
            return refused(Refusal::Parent { meant, counts });
        }
    }
    let publication = publication(args, head.as_deref(), (&new, files.clone()))?;
    let (plan, watch) = ask::plan(args, &given.settings, (head.as_deref(), &new), &files)?;
    if plan.content != hex(publication.content) {
        return refused(Refusal::Settings);
    }
    if plan.parent != held {
        // The service that made the plan has heard of a newer one.
        return overtaken(&publications, &publication, plan);
    }
    let told = decided(args, plan, &publications, publication)?;
    Ok(Told { watch, ..told })
}

/// The rules and their tests, or what is wrong with them; it is told.
fn compiled(given: &Given, files: &[SourceFile]) -> Result<Result<Compiled, Vec<Value>>, Failure> {
    let mut compiled = tzeva_audience::compile(files, &given.check_settings());
    let trials = given.read_tests(files, &mut compiled)?;
    report::problems(&compiled.problems);
    let wrong = || compiled.problems.iter().map(report::problem).collect();
    Ok(compiled.rules.ok_or_else(wrong).map(|rules| (rules, trials)))
}

/// Runs the tests beside the audiences, tells what fails, and counts it.
fn failed_tests(settings: &Settings, rules: &Arc<RuleSet>, trials: &[Trial]) -> usize {
    let outcomes = tzeva_trial::run(rules, &wiring::engine_settings(settings), trials);
    let failed = outcomes.iter().filter(|outcome| !outcome.passed);
    failed
        .map(|outcome| {
            out::note(format!("FAILED {}: {}", outcome.audience, outcome.case.name));
            out::note(format!("  {}", outcome.case.place));
            for line in tzeva_trial::lines(outcome) {
                out::note(format!("  {}", line.text));
            }
        })
        .count()
}

fn publication(
    args: &Args,
    head: Option<&Publication>,
    (new, files): (&RuleSet, Vec<SourceFile>),
) -> Result<Publication, Failure> {
    let draft = Draft {
        content: new.computed_version(),
        at: wiring::wall(),
        by: publisher(),
        note: args.note.clone(),
        files,
    };
    Publication::new(head, draft).map_err(Failure::settings)
}

/// Goes as far as the flags and the person allow.
fn decided(
    args: &Args,
    plan: Plan,
    publications: &Publications,
    publication: Publication,
) -> Result<Told, Failure> {
    if plan.is_empty() {
        return Ok(Told::of(End::Unchanged, Some(plan)));
    }
    if args.output == Output::Text {
        print::plan(&plan);
    }
    let allowed = Allowed {
        removals: &args.remove,
        exits: args.allow_exits,
        unreadable: args.allow_unreadable,
    };
    let refusals = tzeva_plan::refusals(&plan, &allowed);
    if !refusals.is_empty() {
        return Ok(Told::refused(refusals, Some(plan)));
    }
    if args.dry_run {
        return Ok(Told::of(End::DryRun, Some(plan)));
    }
    if !args.yes && std::io::stdin().is_terminal() && !confirmed() {
        return Ok(Told::of(End::Declined, Some(plan)));
    }
    match publications.publish(&publication)? {
        Standing::Counts => {
            let told = Told::of(End::Published, Some(plan));
            Ok(Told { published: Some(publication), ..told })
        }
        Standing::Stale(_) | Standing::Apart => overtaken(publications, &publication, plan),
    }
}

fn confirmed() -> bool {
    eprint_prompt();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn eprint_prompt() {
    use std::io::Write;
    let mut err = std::io::stderr();
    // If stderr is gone there is nobody left to ask.
    let _ = write!(err, "publish these rules? [y/N] ").and_then(|()| err.flush());
}

/// Somebody else was sooner; if with rules that say the same, nothing is left to publish.
fn overtaken(
    publications: &Publications,
    publication: &Publication,
    plan: Plan,
) -> Result<Told, Failure> {
    let head = publications.head()?;
    if head.as_ref().is_some_and(|head| head.content == publication.content) {
        return Ok(Told::of(End::Unchanged, Some(plan)));
    }
    let counts = counts(head.as_deref());
    Ok(Told::refused(vec![Refusal::Stale { counts }], Some(plan)))
}

/// What counts, for people.
fn counts(head: Option<&Publication>) -> String {
    head.map_or_else(
        || "nothing counts".to_owned(),
        |head| {
            let (version, by) = (hex(head.version), out::safe(&head.by));
            format!("{version} counts, published {} by {by}", head.at)
        },
    )
}

/// A version or the beginning of one.
fn version(text: &str) -> Result<String, String> {
    if (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err("a version is 16 hex digits, or the first of them: see `tzeva audience history`".to_owned())
}

/// Who publishes, for those who read the history.
fn publisher() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = variable("USER").or_else(|| variable("LOGNAME"));
    let host = variable("HOSTNAME").or_else(|| {
        let name = std::fs::read_to_string("/etc/hostname").ok()?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    });
    let unknown = || "unknown".to_owned();
    format!("{}@{}", user.unwrap_or_else(unknown), host.unwrap_or_else(unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_declines_has_published_nothing() {
        assert_eq!(Told::of(End::Declined, None).exit(), Exit::No);
        assert_eq!(Told::of(End::DryRun, None).exit(), Exit::Fine);
    }
}
