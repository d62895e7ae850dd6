//! Links between the repository's documents: every relative one must lead to a file, and to a heading in it if it names
//! one.

use anyhow::{Context, Result};
use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

/// A sentence for each link that leads nowhere.
pub(super) fn broken() -> Result<Vec<String>> {
    let mut pages = Vec::new();
    collect(Path::new("."), &mut pages)?;
    let mut faults = Vec::new();
    for page in pages {
        let text = read_to_string(&page).with_context(|| format!("read {}", page.display()))?;
        let folder = page.parent().unwrap_or(Path::new("."));
        for (target, heading) in targets(&text) {
            let there = if target.is_empty() { page.clone() } else { folder.join(&target) };
            let fault = if !there.exists() {
                Some(format!("links to {target}, which isn't there"))
            } else if heading.is_empty() || !target.is_empty() && !target.ends_with(".md") {
                None
            } else {
                let text = read_to_string(&there).with_context(|| format!("read {target}"))?;
                let known = headings(&text).contains(&heading);
                (!known).then(|| format!("links to {target}#{heading}, which is no heading there"))
            };
            faults.extend(fault.map(|fault| format!("{} {fault}", page.display())));
        }
    }
    Ok(faults)
}

/// All Markdown pages below a folder, but for those of built and hidden folders.
fn collect(folder: &Path, pages: &mut Vec<PathBuf>) -> Result<()> {
    let entries = read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, pages)?;
        } else if name.ends_with(".md") {
            pages.push(path);
        }
    }
    pages.sort();
    Ok(())
}

/// The relative targets of a page's links, each with the heading behind `#`; nothing inside fenced blocks counts.
fn targets(text: &str) -> Vec<(String, String)> {
    let prose = text.split("```").step_by(2);
    let links = prose.flat_map(|part| part.split("](").skip(1));
    links
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split_once('#').unwrap_or((target, "")))
        .filter(|(target, heading)| {
            !(target.contains("://") || target.is_empty() && heading.is_empty())
        })
        .map(|(target, heading)| (target.to_owned(), heading.to_owned()))
        .collect()
}

/// How links name the headings of a page.
fn headings(text: &str) -> Vec<String> {
    let prose = text.split("```").step_by(2);
    let lines = prose.flat_map(str::lines).filter(|line| line.starts_with('#'));
    let name = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    lines.map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_links_of_the_prose_count() {
        let text = "[a](b.md#c) [d](https://e.example) [f](#g)\n```\n[h](i)\n```\n[j](../k)";
        let want = [("b.md", "c"), ("", "g"), ("../k", "")];
        assert_eq!(targets(text), want.map(|(target, heading)| (target.into(), heading.into())));
    }

    #[test]
    fn headings_are_named_as_links_name_them() {
        let text = "# What is `stay.at_most`?\n```\n# no heading\n```\n## not in\ntext\n";
        assert_eq!(headings(text), ["what-is-stayat_most", "not-in"]);
    }
}
