//! The reference of the language: a page a chapter, made from the tables that the checker's schema is made of.

use std::fmt::Write;
use tzeva_audience::{Chapter, Topic, reference};

/// A page: its name, its title, what stands before the topics, and its chapters.
struct Page {
    path: &'static str,
    head: &'static str,
    chapters: &'static [(Chapter, &'static str)],
}

const PAGES: [Page; 5] = [
    Page {
        path: "docs/language/documents.md",
        head: "# Documents\n\nWhat a rule file holds. The first key tells what a document is.",
        chapters: &[(Chapter::Documents, "")],
    },
    Page {
        path: "docs/language/policies.md",
        head: "# Policies\n\nTop-level keys of an audience that say when somebody gets in and out. Exactly when, with pictures: \
               [semantics](../semantics.md#policies).",
        chapters: &[(Chapter::Policies, "")],
    },
    Page {
        path: "docs/language/conditions.md",
        head: "# Conditions\n\nA condition is a mapping with one key, one of these. What each means to the millisecond, with pictures: \
               [semantics](../semantics.md#conditions).",
        chapters: &[(Chapter::Conditions, "")],
    },
    Page {
        path: "docs/language/where.md",
        head: "# `where`\n\n`where` compares fields of an event. All tests must hold. A comparison with a field that is not there is false, also `!=` \
               and `not in`. The operator is the first word of a text, which stands in quotes: `\">= 80\"`.",
        chapters: &[(Chapter::Fields, "Fields"), (Chapter::Operators, "Operators")],
    },
    Page {
        path: "docs/language/values.md",
        head: "# Values\n\nWhat values look like.",
        chapters: &[(Chapter::Values, "")],
    },
];

const MADE: &str =
    "Written by `cargo xtask docs` from the code; don't edit. Every example is compiled by a test.";

/// The pages, each with its path.
pub(super) fn pages() -> Vec<(&'static str, String)> {
    let topics = reference();
    PAGES.iter().map(|page| (page.path, page.text(&topics))).collect()
}

// === impl Page ===

impl Page {
    fn text(&self, topics: &[Topic]) -> String {
        let mut text = format!("{}\n\n{MADE}\n", self.head);
        for (chapter, title) in self.chapters {
            let level = if title.is_empty() { "##" } else { "###" };
            if !title.is_empty() {
                text += &format!("\n## {title}\n");
            }
            for topic in topics.iter().filter(|topic| topic.chapter == *chapter) {
                section(topic, level, &mut text);
            }
        }
        text
    }
}

fn section(topic: &Topic, level: &str, text: &mut String) {
    let Topic { word, meaning, keys, later, example, .. } = topic;
    let title =
        if topic.chapter == Chapter::Values { (*word).to_owned() } else { format!("`{word}`") };
    *text += &format!("\n{level} {title}\n\n{meaning}\n");
    if !keys.is_empty() {
        *text += "\n| key | takes | left out | means |\n|---|---|---|---|\n";
    }
    for key in keys {
        // Writing to a text can't fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            key.key, key.takes, key.left_out, key.meaning
        );
    }
    if !later.is_empty() {
        let words: Vec<_> = later.iter().map(|word| format!("`{word}`")).collect();
        *text += &format!(
            "\nNot built yet, and refused as [`not_built_yet`](problems.md#not_built_yet): {}.\n",
            words.join(", ")
        );
    }
    *text += &format!("\n```yaml\n{example}```\n");
}
