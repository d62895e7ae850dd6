//! `cargo xtask sizes`: how long files and functions are, how much is explained, and what is too long.
//!
//! Lines are counted as rustfmt leaves them, so a function ends where a line holds nothing but its closing brace at its
//! own depth; no parser is needed. Inline tests and `tests.rs` files don't count as code.

use crate::workspace::{Package, packages};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

const FILE_STOP: usize = 500;
const FUNCTION_STOP: usize = 70;
const MAIN_STOP: usize = 200;
const FLOW_STOP: usize = 80;
const CRATE_STOP: usize = 5_000;
const INLINE_TESTS_STOP: usize = 150;
const SETTINGS_STOP: usize = 15;
const MODULE_DOC_FROM: usize = 60;

/// What one source file holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Measured {
    lines: usize,
    inline_tests: usize,
    functions: Vec<Function>,
    docs: usize,
    comments: usize,
    unwraps: usize,
    expects: usize,
    has_module_doc: bool,
    wide_settings: Vec<(String, usize)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    lines: usize,
    /// Too long on purpose: a flat `match` or a builder, said by an attribute with its reason.
    excused: bool,
}

struct File {
    path: PathBuf,
    pure: bool,
    measured: Measured,
}

pub(crate) fn run() -> Result<()> {
    let packages = packages()?;
    let mut files = Vec::new();
    let mut faults = Vec::new();
    for package in &packages {
        let of_package = measure_package(package)?;
        let lines: usize = of_package.iter().map(|file| file.measured.lines).sum();
        if lines > CRATE_STOP {
            faults.push(format!("{}: {lines} lines, stop at {CRATE_STOP}", package.name));
        }
        files.extend(of_package);
    }
    faults.extend(files.iter().flat_map(faults_of));
    print_table(&files, &packages)?;
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        eprintln!("too long: {fault}");
    }
    bail!("{} sizes are past their stop", faults.len());
}

fn measure_package(package: &Package) -> Result<Vec<File>> {
    let mut paths = Vec::new();
    rust_files(&package.folder.join("src"), &mut paths)?;
    paths.sort_unstable();
    paths
        .into_iter()
        .map(|path| {
            let text =
                fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            Ok(File { measured: measure(&text), pure: package.is_pure(), path })
        })
        .collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            rust_files(&path, found)?;
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    Ok(())
}

fn measure(text: &str) -> Measured {
    let all: Vec<&str> = text.lines().collect();
    let code_end = all
        .windows(2)
        .position(|pair| {
            pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
        })
        .unwrap_or(all.len());
    let lines = &all[..code_end];
    let starts = |prefix: &str| lines.iter().filter(|l| l.trim_start().starts_with(prefix)).count();
    let holds = |what: &str| lines.iter().filter(|l| !is_comment(l) && l.contains(what)).count();
    let docs = starts("///") + starts("//!");
    Measured {
        lines: lines.len(),
        inline_tests: all.len() - code_end,
        functions: functions(lines),
        docs,
        comments: starts("//") - docs,
        unwraps: holds(".unwrap()"),
        expects: holds(".expect("),
        has_module_doc: lines.first().is_some_and(|line| line.starts_with("//!")),
        wide_settings: wide_settings(lines),
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

fn functions(lines: &[&str]) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let closing = format!("{indent}}}");
        let Some(length) = lines[at..].iter().position(|l| *l == closing || ends_here(l, indent))
        else {
            continue;
        };
        // As clippy counts: the body, without its head and its closing brace.
        let whole = &lines[at..=at + length];
        let head = whole.iter().position(|l| l.ends_with('{')).map_or(0, |open| open + 1);
        let body = &whole[head..whole.len() - usize::from(head > 0)];
        let counted = body.iter().filter(|l| !l.trim().is_empty() && !is_comment(l)).count();
        let above = &lines[at.saturating_sub(8)..at];
        let attributes = above.iter().rev().take_while(|l| !l.trim().is_empty());
        let excused = attributes.into_iter().any(|l| l.contains("too_many_lines"));
        found.push(Function { name: name.to_owned(), lines: counted, excused });
    }
    found
}

/// True for the last line of a head, at its own depth, that holds the whole body or has none.
fn ends_here(line: &str, indent: &str) -> bool {
    let Some(rest) = line.strip_prefix(indent) else { return false };
    let is_head =
        !rest.starts_with(' ') && (function_name(line).is_some() || rest.starts_with(')'));
    is_head && [";", " }", "{}"].iter().any(|end| line.ends_with(end))
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line.trim_start().split(' ');
    let is_head = |word: &str| {
        matches!(word, "const" | "async" | "unsafe" | "extern" | "\"C\"") || word.starts_with("pub")
    };
    let name = loop {
        match words.next()? {
            "fn" => break words.next()?,
            word if is_head(word) => {}
            _ => return None,
        }
    };
    name.split(['(', '<']).next()
}

fn wide_settings(lines: &[&str]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((_, name)) = line.split_once("struct ") else { continue };
        let Some(name) = name.strip_suffix(" {").filter(|name| name.ends_with("Settings")) else {
            continue;
        };
        let fields = lines[at + 1..]
            .iter()
            .take_while(|l| **l != "}")
            .filter(|l| !is_comment(l) && !l.trim_start().starts_with('#') && l.contains(": "))
            .count();
        if fields > SETTINGS_STOP {
            found.push((name.to_owned(), fields));
        }
    }
    found
}

fn faults_of(file: &File) -> Vec<String> {
    let here = std::env::current_dir().unwrap_or_default();
    let path = file.path.strip_prefix(here).unwrap_or(&file.path).display();
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    let measured = &file.measured;
    let stop = match &*name {
        "main.rs" => MAIN_STOP,
        "flow.rs" => FLOW_STOP,
        _ => FILE_STOP - 1,
    };
    let mut faults = Vec::new();
    if measured.lines > stop {
        faults.push(format!("{path}: {} lines, stop at {stop}", measured.lines));
    }
    if measured.inline_tests > INLINE_TESTS_STOP {
        let tests = measured.inline_tests;
        faults.push(format!("{path}: {tests} lines of inline tests, move them to tests.rs"));
    }
    if measured.lines > MODULE_DOC_FROM && !measured.has_module_doc {
        faults.push(format!("{path}: {} lines without a module doc", measured.lines));
    }
    for function in measured.functions.iter().filter(|f| f.lines > FUNCTION_STOP && !f.excused) {
        let Function { name, lines, .. } = function;
        faults.push(format!("{path}: fn {name} has {lines} lines, stop at {FUNCTION_STOP}"));
    }
    for (name, fields) in &measured.wide_settings {
        faults.push(format!("{path}: struct {name} has {fields} fields, nest by component"));
    }
    faults
}

fn print_table(files: &[File], packages: &[Package]) -> Result<()> {
    let files_by_length = sorted(files.iter().map(|file| file.measured.lines));
    let functions = sorted(files.iter().flat_map(|file| &file.measured.functions).map(|f| f.lines));
    let total = |what: fn(&Measured) -> usize| -> usize {
        files.iter().map(|file| what(&file.measured)).sum()
    };
    let lines = total(|m| m.lines);
    let long: Vec<&File> =
        files.iter().filter(|file| file.measured.lines > MODULE_DOC_FROM).collect();
    let with_doc = long.iter().filter(|file| file.measured.has_module_doc).count();
    let mut without_runtime = 0;
    for package in packages {
        let manifest = fs::read_to_string(package.folder.join("Cargo.toml"))?;
        without_runtime += usize::from(!manifest.lines().any(|l| l.starts_with("tokio")));
    }
    println!("files                              {}", files.len());
    println!("lines, without tests               {lines}");
    println!("lines a file: median/p90/longest   {}", spread(&files_by_length));
    println!(
        "files of 500 lines and more        {}",
        files_by_length.iter().filter(|l| **l >= FILE_STOP).count()
    );
    println!("function: median/p90/longest       {}", spread(&functions));
    println!(
        "unwrap/expect per 1,000 lines      {}/{}",
        tenths(total(|m| m.unwraps) * 1_000, lines),
        tenths(total(|m| m.expects) * 1_000, lines)
    );
    for (label, pure) in [("pure crates", true), ("other crates", false)] {
        let of = |what: fn(&Measured) -> usize| -> usize {
            files.iter().filter(|file| file.pure == pure).map(|file| what(&file.measured)).sum()
        };
        let (docs, plain) = (of(|m| m.docs) * 100, of(|m| m.comments) * 100);
        let lines = of(|m| m.lines);
        println!(
            "doc+plain comments per 100, {label:<12} {}+{}",
            tenths(docs, lines),
            tenths(plain, lines)
        );
    }
    println!("files over {MODULE_DOC_FROM} lines with a module doc {with_doc} of {}", long.len());
    println!("crates without async runtime       {without_runtime} of {}", packages.len());
    Ok(())
}

fn sorted(values: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut values: Vec<usize> = values.collect();
    values.sort_unstable();
    values
}

fn spread(sorted: &[usize]) -> String {
    let at = |percent: usize| sorted.get(sorted.len() * percent / 100).or(sorted.last()).copied();
    let (median, p90) = (at(50).unwrap_or(0), at(90).unwrap_or(0));
    format!("{median}/{p90}/{}", sorted.last().unwrap_or(&0))
}

/// A quotient with one decimal.
fn tenths(part: usize, whole: usize) -> String {
    let tenths = (part * 10).checked_div(whole).unwrap_or(0);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "//! A sample.\n\n/// Adds.\npub const fn add(a: u8) -> u8 {\n    // why\n    a\n}\n\n\
        trait T {\n    fn declared(&self);\n    fn short(&self) {}\n}\n\n#[cfg(test)]\nmod tests {\n    fn x() {}\n}\n";

    #[test]
    fn a_sample_is_measured_as_a_reader_would() {
        let measured = measure(SAMPLE);
        let names: Vec<(&str, usize)> =
            measured.functions.iter().map(|f| (f.name.as_str(), f.lines)).collect();
        assert_eq!(names, [("add", 1), ("declared", 1), ("short", 1)]);
        assert_eq!((measured.docs, measured.comments), (2, 1));
        assert_eq!((measured.lines, measured.inline_tests), (13, 4));
        assert!(measured.has_module_doc);
    }

    #[test]
    fn a_long_function_is_a_fault_unless_it_says_why() {
        let body = "    call();\n".repeat(80);
        for (attribute, faults) in [("", 1), ("#[expect(clippy::too_many_lines)]\n", 0)] {
            let text = format!("//! Doc.\n\n{attribute}fn long() {{\n{body}}}\n");
            let file = File { path: "a.rs".into(), pure: false, measured: measure(&text) };
            assert_eq!(faults_of(&file).len(), faults, "{attribute}");
        }
    }
}
