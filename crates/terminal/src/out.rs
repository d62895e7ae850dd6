//! Ways out: results to stdout, everything else to stderr. A reader that went away (`| head`) ends output in silence;
//! any other failure is remembered, and told at the end.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Why results could not be written, the first time.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes a line of results. False if nobody reads any more, or it can't be written: see [`lost`].
pub fn line(text: impl fmt::Display) -> bool {
    wrote(writeln!(io::stdout().lock(), "{text}"))
}

/// Takes note of what came of writing results. False if it came to nothing.
pub fn wrote(written: io::Result<()>) -> bool {
    let Err(error) = written else { return true };
    if error.kind() != ErrorKind::BrokenPipe {
        // A later one is the same trouble.
        let _ = LOST.set(error);
    }
    false
}

/// Why results are incomplete, if they are; a reader that went away is no reason. For the end of a command.
pub fn lost() -> Option<&'static io::Error> {
    wrote(io::stdout().flush());
    LOST.get()
}

/// Writes a line for people beside the results.
pub fn note(text: impl fmt::Display) {
    // If stderr is gone there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes what went wrong, with its causes.
pub fn failure(error: &(dyn Error + 'static)) {
    let mut last = error.to_string();
    let mut text = format!("error: {last}");
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !last.ends_with(&cause) {
            text += &format!("\n  caused by: {cause}");
        }
        last = cause;
        source = error.source();
    }
    note(text);
}

/// Writes a table: columns as wide as their widest cell, the last one as it comes.
pub fn table(head: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let show = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> =
            cells.zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        line(cells.join("  ").trim_end())
    };
    if !show(&mut head.iter().copied()) {
        return;
    }
    for row in rows {
        if !show(&mut row.iter().map(String::as_str)) {
            return;
        }
    }
}

/// Text that came from outside, safe on a terminal: control characters are escaped.
pub fn safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
        {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
