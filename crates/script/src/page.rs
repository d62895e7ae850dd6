//! The page of the reference on refusals and warnings, in the program itself: it is read without a network.

use crate::code::Code;

/// As `cargo xtask docs` writes it.
const PAGE: &str = include_str!("../../../docs/language/problems.md");

impl Code {
    /// Its section of the reference, in Markdown: what it means, a file that gives it, the message, how to mend it.
    #[must_use]
    pub fn section(self) -> &'static str {
        let head = format!("\n## {}\n", self.word());
        let start = PAGE.find(&head).map_or(0, |start| start + 1);
        let rest = &PAGE[start..];
        rest[..rest[2..].find("\n## ").map_or(rest.len(), |end| end + 2)].trim_end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_section_of_its_own() {
        for code in Code::ALL {
            let section = code.section();
            assert!(section.starts_with(&format!("## {}\n", code.word())), "{section}");
            assert_eq!(section.matches("\n## ").count(), 0, "{section}");
            assert!(section.contains("**To mend it**"), "{section}");
        }
    }
}
