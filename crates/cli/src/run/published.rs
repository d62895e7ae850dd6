//! The rules of a running service: all that were published before it started, and each new set from then on.
//!
//! A first start publishes the audience files of the settings; from then on what is published counts, and the files are
//! only what `tzeva audience apply` reads. Several painters that start at once publish one and the same set.

use crate::exit::Failure;
use crate::plan::hex;
use crate::publications::{From, Publications};
use crate::{out, rules, wiring};
use anyhow::anyhow;
use std::sync::{Arc, Mutex, PoisonError};
use tzeva_engine::Rules;
use tzeva_painter::{KnownRules, SharedRules, Watcher};
use tzeva_rulebook::{Book, Draft, Fed, Publication, SourceFile, Standing};
use tzeva_settings::Settings;

/// Published rules on their way to the owners.
pub(super) struct Published {
    publications: Publications,
    from: From,
    reading: Reading,
}

/// What is read is handed on.
struct Reading {
    book: Book,
    settings: Arc<Settings>,
    shared: SharedRules,
    /// So many of the chain are handed on.
    taken: usize,
    /// Sets that this process can't run.
    refused: u64,
    watcher: Option<Watcher>,
}

/// Follows publications until it is dropped.
pub(super) struct Following(#[expect(dead_code, reason = "held, and dropped")] Box<dyn Send>);

// === impl Published ===

impl Published {
    /// Reads all publications; where there are none, publishes the files of the settings.
    ///
    /// # Errors
    /// If there is nothing that this process can run, or the place can't be read.
    pub(super) fn begin(settings: &Settings, publications: Publications) -> Result<Self, Failure> {
        let (mut book, mut from) = publications.read()?;
        match book.head() {
            None => {
                publish_files(settings, &publications)?;
                (book, from) = publications.read()?;
            }
            Some(head) => tell_if_files_differ(settings, head),
        }
        let shared = SharedRules::default();
        // Of a topic others may have read more than we have; of a folder this process alone decides by what lies there.
        if let Publications::Topic(_) = publications {
            shared.follow();
        }
        let settings = Arc::new(settings.clone());
        let mut reading = Reading { book, settings, shared, taken: 0, refused: 0, watcher: None };
        reading.hand_on();
        if reading.shared.newest().is_none() {
            return Err(Failure::settings(anyhow!(
                "none of the published rules can be run under these settings, see above"
            )));
        }
        Ok(Self { publications, from, reading })
    }

    /// The rules, as owners look at them.
    pub(super) fn rules(&self) -> SharedRules {
        self.reading.shared.clone()
    }

    /// Hands on what is published from now on.
    pub(super) fn follow(self, watcher: &Watcher) -> Result<Following, Failure> {
        let Self { publications, from, mut reading } = self;
        (0..reading.refused).for_each(|_| watcher.rules_refused());
        reading.watcher = Some(watcher.clone());
        let reading = Arc::new(Mutex::new(reading));
        let take = move |key: &[u8], value: Option<&[u8]>| {
            reading.lock().unwrap_or_else(PoisonError::into_inner).take(key, value);
        };
        publications.follow(from, take).map(Following).map_err(Failure::world)
    }
}

// === impl Reading ===

impl Reading {
    fn take(&mut self, key: &[u8], value: Option<&[u8]>) {
        match self.book.feed(key, value) {
            Fed::Complete(publication, Standing::Stale(winner)) => tracing::info!(
                version = hex(publication.version),
                by = publication.by,
                instead = hex(winner.version),
                "published rules count for nothing: others were sooner"
            ),
            Fed::Complete(..) => self.hand_on(),
            Fed::Flawed(flaw) => tracing::warn!(%flaw, "a record of rules is passed over"),
            Fed::Part | Fed::Known => {}
        }
    }

    /// Hands on what counts and wasn't yet. Those before one that can be run are not compiled unless a log is still at
    /// them.
    fn hand_on(&mut self) {
        let new = &self.book.chain()[self.taken..];
        for publication in new {
            let (source, settings) = (Arc::clone(publication), Arc::clone(&self.settings));
            self.shared.add_source(publication.version, move || made(&source, &settings));
        }
        for publication in new.iter().rev() {
            let (by, note) = (&publication.by, &publication.note);
            let version = hex(publication.version);
            match self.shared.get(publication.version) {
                KnownRules::Usable(rules) => {
                    let audiences = rules.set().audiences.len();
                    tracing::info!(version, by, note, audiences, "published rules");
                    break;
                }
                KnownRules::Unusable(error) => {
                    tracing::error!(version, by, note, error, "published rules are refused");
                    self.refused += 1;
                    self.watcher.iter().for_each(Watcher::rules_refused);
                }
                KnownRules::Unheard => {}
            }
        }
        self.taken = self.book.chain().len();
    }
}

/// Compiled rules, or why this process can't run them.
fn made(publication: &Publication, settings: &Settings) -> Result<Rules, String> {
    let set = rules::of_publication(publication, settings);
    let set = set.map_err(|failure| format!("{:#}", failure.error))?;
    Ok(Rules::compile(Arc::new(set), settings.history.max_age.get()))
}

/// Publishes the audience files as the first rules.
fn publish_files(settings: &Settings, publications: &Publications) -> Result<(), Failure> {
    let folder = &settings.audiences;
    let rules = rules::load(folder, &wiring::check_settings(settings))?;
    let draft = Draft {
        content: rules.version,
        at: wiring::wall(),
        by: wiring::process(),
        note: "a first start".into(),
        files: rules::relative(folder, &rules::files(folder)?),
    };
    let first = Publication::new(None, draft).map_err(Failure::settings)?;
    publications.publish(&first)?;
    tracing::info!(version = hex(first.version), folder = %folder.display(), "published the audience files");
    Ok(())
}

/// Who edits files and restarts is told that this changes nothing.
fn tell_if_files_differ(settings: &Settings, head: &Publication) {
    let Ok(files) = rules::files(&settings.audiences) else { return };
    let mut files = rules::relative(&settings.audiences, &files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let texts = |files: &[SourceFile]| files.iter().map(|f| f.text.clone()).collect::<Vec<_>>();
    if texts(&files) != texts(&head.files) {
        let folder = settings.audiences.display();
        out::note(format_args!(
            "the files in {folder} are not the rules in force, {}: `tzeva audience apply {folder}` publishes them",
            hex(head.version)
        ));
    }
}
