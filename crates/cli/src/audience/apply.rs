//! `tzeva audience apply`: shows what other rules would change, refuses what looks like a mistake, and publishes them.
//!
//! It is a command for pipelines: without a terminal nobody is asked, so what a pipeline may do is said by flags. Running
//! services follow what is published; nothing is restarted.

mod ask;
mod guards;
mod print;

use super::given::Given;
use super::report;
use crate::config::SettingsArgs;
use crate::exit::{Exit, Failure};
use crate::out::{self, Output};
use crate::plan::{Plan, hex};
use crate::publications::Publications;
use crate::{rules, wiring};
use anyhow::anyhow;
use guards::{Allowed, Refusal};
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use tzeva_audience::{RuleSet, SourceFile};
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
    /// Only if this version still counts: 16 hex digits, as `audience history` shows them.
    #[arg(long, value_name = "VERSION")]
    parent: Option<String>,
    /// This audience may be removed; once for each.
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,
    /// So many members may leave an audience at once, also if they are more than a tenth of it.
    #[arg(long, value_name = "N")]
    allow_exits: Option<u64>,
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

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let mode = if args.data.is_some() { Mode::Embedded } else { Mode::Server };
    let given = Given { settings: args.settings.load(mode)?.settings };
    let files = rules::relative_files(&args.folder)?;
    let Some((new, trials)) = compiled(args, &given, &files)? else { return Ok(Exit::Settings) };
    let new = Arc::new(new);
    if !args.skip_tests && !tests_pass(&given.settings, &new, &trials) {
        out::note("nothing was published: tests fail (--skip-tests publishes all the same)");
        return Ok(Exit::No);
    }
    let publications = match &args.data {
        Some(data) => Publications::of_folder(data),
        None => Publications::of_servers(&given.settings)?,
    };
    let head = publications.head()?;
    let held = head.as_ref().map(|head| hex(head.version));
    if let Some(parent) = &args.parent
        && held.as_ref() != Some(parent)
    {
        return Err(stale(head.as_deref()));
    }
    let publication = publication(args, head.as_deref(), (&new, files.clone()))?;
    let plan = ask::plan(args, &given.settings, (head.as_deref(), &new), &files)?;
    if plan.parent != held {
        // The service that made the plan has heard of a newer one.
        return Err(stale(publications.head()?.as_deref()));
    }
    let allowed = Allowed { removals: &args.remove, exits: args.allow_exits };
    let refusals = guards::refusals(&plan, &allowed)?;
    let end = decided(args, (&plan, &refusals), &publications, &publication)?;
    if args.output == Output::Json {
        print::json(&plan, &refusals, (end, &publication));
    } else {
        print::end((end, &publication), &given.settings);
    }
    Ok(if end == End::Refused { Exit::No } else { Exit::Fine })
}

/// The rules and their tests; `None`: they are refused, and why is told.
fn compiled(
    args: &Args,
    given: &Given,
    files: &[SourceFile],
) -> Result<Option<(RuleSet, Vec<Trial>)>, Failure> {
    let mut compiled = tzeva_audience::compile(files, &given.check_settings());
    let trials = given.read_tests(files, &mut compiled)?;
    report::problems(&compiled.problems);
    if compiled.rules.is_none() {
        if args.output == Output::Json {
            report::json(&compiled);
        }
        let folder = args.folder.display();
        out::note(format!("nothing was published: the rules in {folder} are refused, see above"));
    }
    Ok(compiled.rules.map(|rules| (rules, trials)))
}

/// Runs the tests beside the audiences; what fails is told.
fn tests_pass(settings: &Settings, rules: &Arc<RuleSet>, trials: &[Trial]) -> bool {
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
        == 0
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
    (plan, refusals): (&Plan, &[Refusal]),
    publications: &Publications,
    publication: &Publication,
) -> Result<End, Failure> {
    if plan.is_empty() {
        return Ok(End::Unchanged);
    }
    if args.output == Output::Text {
        print::plan(plan);
    }
    if !refusals.is_empty() {
        refusals.iter().for_each(|refusal| out::note(format!("refused: {refusal}")));
        return Ok(End::Refused);
    }
    if args.dry_run {
        return Ok(End::DryRun);
    }
    if !args.yes && std::io::stdin().is_terminal() && !confirmed() {
        return Ok(End::Declined);
    }
    match publications.publish(publication)? {
        Standing::Counts => Ok(End::Published),
        Standing::Stale(other) => Err(stale(Some(&other))),
        Standing::Apart => Err(stale(None)),
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

/// Somebody else was sooner.
fn stale(head: Option<&Publication>) -> Failure {
    let who = head.map_or_else(
        || "nothing counts".to_owned(),
        |head| {
            let (version, by) = (hex(head.version), out::safe(&head.by));
            format!("{version} counts, published {} by {by}", head.at)
        },
    );
    Failure::world(anyhow!(
        "other rules were published meanwhile: {who}. Nothing of these was taken over: see `tzeva audience history`, \
         fetch theirs with `tzeva audience show`, bring both together and apply again"
    ))
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
