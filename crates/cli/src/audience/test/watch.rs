//! `--watch`: runs the tests anew whenever a file of the folder says something else than before.
//!
//! Texts are compared, not times: an editor that writes a new file and renames it is seen, and one that saves what was
//! there already is not. A signal ends it at once, and well: nothing has begun that needs an end in order.

use super::{Args, test};
use crate::audience::given::Given;
use crate::exit::{Exit, Failure};
use crate::out::{self, Output};
use crate::rules;
use crate::signals::Signals;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;
use tzeva_audience::SourceFile;

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(300);

/// What a look found: the files, or why they can't be read.
type Look = Result<Vec<SourceFile>, String>;

pub(super) fn run(args: &Args, given: &Given, folder: &Path) -> Result<Exit, Failure> {
    let _ends_at_a_signal = Signals::listen()?;
    let (mut told, mut before): (Option<Look>, Option<String>) = (None, None);
    loop {
        let look = rules::files(folder).map_err(|failure| format!("{:#}", failure.error));
        // While an editor saves, a file may be away for a moment: only what fails twice in a row is told.
        let settled = match &look {
            Ok(_) => true,
            Err(error) => before.as_ref() == Some(error),
        };
        before = look.as_ref().err().cloned();
        if settled && told.as_ref() != Some(&look) {
            if args.output == Output::Text {
                clear();
            }
            match &look {
                Ok(files) => drop(test(args, given, folder, files)?),
                Err(error) => out::note(format!("error: {error}")),
            }
            out::note(format!("waiting for changes in {}; Ctrl-C ends", folder.display()));
            told = Some(look);
        }
        let _ = crossbeam_channel::after(LOOK).recv();
    }
}

/// Clears a terminal.
fn clear() {
    let mut screen = std::io::stdout();
    if screen.is_terminal() {
        // Nobody is left to see it if that fails.
        let _ = write!(screen, "\x1b[2J\x1b[H");
    }
}
