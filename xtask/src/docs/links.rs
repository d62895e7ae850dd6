//! Links between the repository's documents: every relative one must lead to a file.

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
        for target in targets(&text) {
            if !folder.join(&target).exists() {
                faults.push(format!("{} links to {target}, which isn't there", page.display()));
            }
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

/// The relative targets of a page's links, without what stands behind `#`; nothing inside fenced blocks counts.
fn targets(text: &str) -> Vec<String> {
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    let links = prose.iter().flat_map(|part| part.split("](").skip(1));
    links
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split('#').next().unwrap_or_default().to_owned())
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_links_of_the_prose_count() {
        let text = "[a](b.md#c) [d](https://e.example) [f](#g)\n```\n[h](i)\n```\n[j](../k)";
        assert_eq!(targets(text), ["b.md", "../k"]);
    }
}
