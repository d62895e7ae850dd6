//! `tzeva audience history` and `show`: what was published, and the files of a publication back again.

use crate::config::SettingsArgs;
use crate::exit::{Exit, Failure};
use crate::out::{self, Output};
use crate::plan::hex;
use crate::publications::Publications;
use anyhow::{Context, anyhow};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use tzeva_rulebook::{Book, Publication, Standing};
use tzeva_settings::Mode;

/// Where publications are.
#[derive(clap::Args)]
pub(crate) struct Where {
    #[command(flatten)]
    settings: SettingsArgs,
    /// The data folder of an embedded service, which may be running; left out: the servers of the settings.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Arguments of `tzeva audience history`.
#[derive(clap::Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    place: Where,
    /// How they are written; as JSON a line each.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Arguments of `tzeva audience show`.
#[derive(clap::Args)]
pub(crate) struct ShowArgs {
    /// The publication: its version or the beginning of it; `head`: the one that counts.
    #[arg(value_name = "VERSION")]
    publication: String,
    /// The folder that its files are written to; made if it is missing, and must be empty.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    place: Where,
}

// === impl Where ===

impl Where {
    fn book(&self) -> Result<Book, Failure> {
        let publications = match &self.data {
            Some(data) => {
                self.settings.load(Mode::Embedded)?;
                Publications::of_existing(data)?
            }
            None => Publications::of_servers(&self.settings.load(Mode::Server)?.settings)?,
        };
        Ok(publications.read()?.0)
    }
}

/// Every publication, the oldest first.
pub(super) fn history(args: &HistoryArgs) -> Result<Exit, Failure> {
    let book = args.place.book()?;
    let head = book.head().map(|head| head.version);
    let standing = |publication: &Publication| match book.standing(publication.version) {
        _ if Some(publication.version) == head => "counts",
        Some(Standing::Counts) => "counted",
        _ => "stale",
    };
    if args.output == Output::Json {
        for publication in book.all() {
            out::line(json!({
                "version": hex(publication.version),
                "parent": publication.parent.map(hex),
                "ordinal": publication.ordinal,
                "content": hex(publication.content),
                "at": publication.at.to_string(),
                "by": publication.by,
                "note": publication.note,
                "files": publication.files.len(),
                "standing": standing(&publication),
            }));
        }
        return Ok(Exit::Fine);
    }
    let row = |publication: &Publication| {
        vec![
            publication.ordinal.to_string(),
            hex(publication.version),
            publication.parent.map_or_else(|| "-".to_owned(), hex),
            standing(publication).to_owned(),
            publication.at.to_string(),
            out::safe(&publication.by),
            out::safe(&publication.note),
        ]
    };
    let rows: Vec<_> = book.all().iter().map(|publication| row(publication)).collect();
    if rows.is_empty() {
        out::note("nothing was published yet: a service publishes its files at its first start");
    } else {
        out::table(&["no", "version", "parent", "", "at", "by", "note"], &rows);
    }
    for flaw in book.flaws() {
        out::note(format!("warning: {}", out::safe(&flaw.to_string())));
    }
    for version in book.incomplete() {
        out::note(format!("warning: {} is incomplete, its publisher did not end", hex(version)));
    }
    Ok(Exit::Fine)
}

/// Writes the files of a publication into a folder.
pub(super) fn show(args: &ShowArgs) -> Result<Exit, Failure> {
    let book = args.place.book()?;
    let publication = chosen(&book, &args.publication)?;
    let attempt =
        || format!("write the files of {} to {}", hex(publication.version), args.to.display());
    let write = || -> anyhow::Result<()> {
        std::fs::create_dir_all(&args.to)?;
        if std::fs::read_dir(&args.to)?.next().is_some() {
            return Err(anyhow!("the folder isn't empty"));
        }
        for file in &publication.files {
            // Paths of a publication are relative and plain: its reader saw to that.
            let path = args.to.join(&file.path);
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(&path, &file.text)?;
        }
        Ok(())
    };
    write().with_context(attempt).map_err(Failure::settings)?;
    let (version, files) = (hex(publication.version), publication.files.len());
    out::line(format!("{version}: {files} files in {}", args.to.display()));
    Ok(Exit::Fine)
}

fn chosen(book: &Book, version: &str) -> Result<Publication, Failure> {
    if version == "head" {
        let head = book.head().ok_or_else(|| anyhow!("nothing was published yet"));
        return head.map(|head| (**head).clone()).map_err(Failure::settings);
    }
    let found = beginning(book, version)?
        .ok_or_else(|| anyhow!("there is no publication {version}: see `tzeva audience history`"));
    found.map(|found| (*found).clone()).map_err(Failure::settings)
}

/// The one publication whose version begins so, in either case of letters.
pub(super) fn beginning(book: &Book, version: &str) -> Result<Option<Arc<Publication>>, Failure> {
    let mut found = book.all();
    found.retain(|found| hex(found.version).starts_with(&version.to_ascii_lowercase()));
    if found.len() > 1 {
        let count = found.len();
        return Err(Failure::settings(anyhow!(
            "{count} publications begin with {version}: write more of it"
        )));
    }
    Ok(found.pop())
}
