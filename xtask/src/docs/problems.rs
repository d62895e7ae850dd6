//! The page of every refusal and warning: what it means, a file that gives it, the exact message, how to mend it.
//!
//! Files and messages are those of the tests, so that the page shows what runs. The program prints sections of it too:
//! `tzeva audience problem CODE`.

use anyhow::{Context, Result, bail};
use std::fmt::Write;
use std::fs::read_to_string;
use tzeva_audience::{Code, Severity};

/// Where files that are refused stand, each with its messages.
const FOLDERS: [&str; 2] = ["crates/audience/tests/refused", "crates/trial/tests/refused"];
/// How many messages of one file are shown.
const SHOWN: usize = 3;
/// How much of a long line is shown, in characters.
const WIDTH: usize = 150;

const HEAD: &str = "\
# What is refused and what is warned of

Written by `cargo xtask docs` from the code and its tests; don't edit. tzeva refuses rather than guesses. One run reports everything wrong in all
files, each with file, line, column, the line itself and what to do. A refusal (`error`) means no rule set comes out; a `warning` leaves it usable.
Codes are never renamed. `tzeva audience problem CODE` prints a section of this page.

| code | is | means |
|---|---|---|
";

/// The page.
pub(super) fn page() -> Result<String> {
    let mut page = String::from(HEAD);
    for code in Code::ALL {
        let (word, severity, means) = (code.word(), severity(*code), code.meaning());
        writeln!(page, "| [`{word}`](#{word}) | {severity} | {means} |")?;
    }
    for code in Code::ALL {
        section(*code, &mut page)?;
    }
    Ok(page)
}

fn severity(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn section(code: Code, page: &mut String) -> Result<()> {
    let word = code.word();
    let (file, messages) = shown(word)?;
    let (settings, file) = without_settings(&file);
    let which = match code.severity() {
        Severity::Error => "Refused",
        Severity::Warning => "Warned of",
    };
    writeln!(page, "\n## {word}\n\n{which}. {}\n", code.meaning())?;
    if !settings.is_empty() {
        writeln!(page, "{settings}\n")?;
    }
    writeln!(page, "```yaml\n{}```\n\n```\n{messages}```\n", cut(&file))?;
    writeln!(page, "**To mend it**: {}.", code.cure())?;
    Ok(())
}

/// The text of the file named for a code, and those of its messages that have the code.
fn shown(word: &str) -> Result<(String, String)> {
    for folder in FOLDERS {
        let path = format!("{folder}/{word}.yaml");
        let Ok(file) = read_to_string(&path) else { continue };
        let path = format!("{folder}/{word}.txt");
        let messages = read_to_string(&path).with_context(|| format!("read {path}"))?;
        let code = format!("[{word}]: ");
        let own: Vec<&str> = messages.split("\n\n").filter(|one| one.contains(&code)).collect();
        if own.is_empty() {
            bail!("{path} has no message with the code {word}");
        }
        let mut text = own[..own.len().min(SHOWN)].join("\n\n");
        text.truncate(text.trim_end().len());
        text.push('\n');
        return Ok((file, cut(&text)));
    }
    bail!("no file {word}.yaml under {}", FOLDERS.join(" or "))
}

/// What a file's first line sets for its test, in words; and the rest of the file.
fn without_settings(file: &str) -> (String, String) {
    let (first, rest) = file.split_once('\n').unwrap_or((file, ""));
    if let Some(pairs) = first.strip_prefix("# settings: ") {
        let pairs: Vec<String> = pairs.split(' ').map(|pair| format!("`{pair}`")).collect();
        return (format!("Checked under {}.", pairs.join(", ")), rest.to_owned());
    }
    if let Some(times) = first.strip_prefix("# repeat: ") {
        let words =
            format!("The last document stands there {times} times, `{{n}}` being its number.");
        return (words, rest.to_owned());
    }
    (String::new(), file.to_owned())
}

/// Long lines cut.
fn cut(text: &str) -> String {
    let mut shown = String::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        match line.char_indices().nth(WIDTH) {
            Some((end, _)) => shown.extend([&line[..end], "…\n"]),
            None => shown.extend([line, "\n"]),
        }
    }
    shown
}
