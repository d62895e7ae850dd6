//! Reads a folder of audience files and compiles it.

use crate::exit::Failure;
use crate::plan::hex;
use crate::{out, wiring};
use anyhow::{Context, anyhow};
use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use tzeva_audience::{CheckSettings, Compiled, RuleSet, Severity, SourceFile, compile};
use tzeva_rulebook::Publication;
use tzeva_settings::Settings;

/// The YAML files of a folder, its folders included, in the order of their paths; of a file: itself. Links are followed,
/// hidden files and folders are none.
pub(crate) fn files(folder: &Path) -> Result<Vec<SourceFile>, Failure> {
    let mut found = Vec::new();
    collect(folder, &mut found).map_err(Failure::settings)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    if found.is_empty() {
        let folder = folder.display();
        return Err(Failure::settings(anyhow!(
            "{folder} holds no audience files: put .yaml files there, or set `audiences`"
        )));
    }
    Ok(found)
}

/// What [`files`] gave of `folder`, with paths relative to it, as they are published.
pub(crate) fn relative(folder: &Path, files: &[SourceFile]) -> Vec<SourceFile> {
    let base = if folder.is_dir() { folder } else { folder.parent().unwrap_or(folder) };
    let relative = |file: &SourceFile| {
        let path = Path::new(&file.path);
        let path = path.strip_prefix(base).unwrap_or(path);
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        SourceFile { path: parts.join("/"), text: file.text.clone() }
    };
    files.iter().map(relative).collect()
}

/// The rules of a publication, under its version.
///
/// # Errors
/// This process refuses them, or reads something else in them than was published: by its settings, or since it is another
/// program. One version must not mean two things, as profiles are stamped with it.
pub(crate) fn of_publication(
    publication: &Publication,
    settings: &Settings,
) -> Result<RuleSet, Failure> {
    let compiled = compile(&publication.files, &wiring::check_settings(settings));
    let errors = compiled.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let why = match &compiled.rules {
        None => errors.map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        Some(rules) if rules.version != publication.content => format!(
            "they were published as {}, and here their texts mean {}",
            hex(publication.content),
            hex(rules.version)
        ),
        Some(rules) => return Ok(RuleSet { version: publication.version, ..rules.clone() }),
    };
    Err(Failure::settings(anyhow!(
        "the published rules {} can't be run here: {why}\nthe settings that bear on meaning, or the program, are not those \
         under which they were published: put these back, publish rules that both can run, and change then",
        hex(publication.version)
    )))
}

/// The rules of a folder: warnings go to stderr, refusals end it.
pub(crate) fn load(folder: &Path, settings: &CheckSettings) -> Result<Arc<RuleSet>, Failure> {
    let Compiled { rules, problems, .. } = compile(&files(folder)?, settings);
    problems.iter().for_each(|problem| out::note(problem.to_string().trim_end()));
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    rules.map(Arc::new).ok_or_else(|| {
        let folder = folder.display();
        Failure::settings(anyhow!(
            "the rules in {folder} are refused: {errors} problems, see above"
        ))
    })
}

fn collect(path: &Path, found: &mut Vec<SourceFile>) -> anyhow::Result<()> {
    let read = |path: &Path| -> anyhow::Result<SourceFile> {
        let text = text(path).with_context(|| attempt(path))?;
        Ok(SourceFile { path: path.display().to_string(), text })
    };
    if !path.is_dir() {
        found.push(read(path)?);
        return Ok(());
    }
    // Links to folders come last, so that a folder has the name that it has without them.
    let (mut folders, mut links) = (vec![path.to_owned()], BTreeSet::new());
    let mut met = HashSet::new();
    while let Some(folder) = folders.pop().or_else(|| links.pop_first()) {
        let own = folder.metadata().with_context(|| attempt(&folder))?;
        if !met.insert((own.dev(), own.ino())) {
            continue;
        }
        for entry in std::fs::read_dir(&folder).with_context(|| attempt(&folder))? {
            let entry = entry.with_context(|| attempt(&folder))?.path();
            if is_hidden(&entry) {
                continue;
            }
            let yaml = entry.extension().is_some_and(|end| end == "yaml" || end == "yml");
            match entry.metadata() {
                Ok(about) if about.is_dir() && entry.is_symlink() => drop(links.insert(entry)),
                Ok(about) if about.is_dir() => folders.push(entry),
                _ if !yaml => {}
                Ok(about) if about.is_file() => found.push(read(&entry)?),
                Ok(_) => {
                    return Err(anyhow!("it is neither a file nor a folder: move it elsewhere")
                        .context(attempt(&entry)));
                }
                Err(error) => return Err(error).with_context(|| attempt(&entry)),
            }
        }
    }
    Ok(())
}

/// Names that begin with a point are not people's: locks of editors, `.git`, and what Kubernetes keeps mounted files in.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn attempt(path: &Path) -> String {
    format!("read audiences {}", path.display())
}

/// The text of a file, U+FFFD where it is no UTF-8; of one that is larger than is read, so much that the compiler sees it.
/// Either is refused there, with its place.
fn text(path: &Path) -> anyhow::Result<String> {
    let most = tzeva_audience::MAX_FILE + 1;
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64).read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes);
    Ok(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}
