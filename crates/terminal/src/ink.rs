//! Colour, where there is a terminal that shows it.

use std::fmt;
use std::io::IsTerminal;

/// Whether to colour; decided once an output.
#[derive(Clone, Copy, Debug)]
pub struct Ink(bool);

/// A colour or a weight of letters.
#[derive(Clone, Copy, Debug)]
pub enum Tint {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

// === impl Ink ===

impl Ink {
    /// As fits stdout.
    pub fn stdout() -> Self {
        Self::of(&std::io::stdout())
    }

    /// As fits stderr.
    pub fn stderr() -> Self {
        Self::of(&std::io::stderr())
    }

    /// Tints `text`.
    pub fn tint(self, tint: Tint, text: impl fmt::Display) -> String {
        if !self.0 {
            return text.to_string();
        }
        let code = match tint {
            Tint::Bold => 1,
            Tint::Dim => 2,
            Tint::Red => 31,
            Tint::Green => 32,
            Tint::Yellow => 33,
            Tint::Cyan => 36,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    fn of(stream: &impl IsTerminal) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self(stream.is_terminal() && !unwanted && !dumb)
    }
}
