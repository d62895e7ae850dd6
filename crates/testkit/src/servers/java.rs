//! Finding a Java that is new enough: machines often hold several, and the first on the path may be the oldest.

use super::{Missing, on_path};
use std::path::PathBuf;
use std::process::Command;

/// The newest Java on the machine that is at least `least`: of `$JAVA_HOME`, the search path and `/usr/lib/jvm`.
///
/// # Errors
/// If there is none.
pub fn find_java(least: u32) -> Result<PathBuf, Missing> {
    candidates()
        .into_iter()
        .filter_map(|java| version(&java).map(|version| (version, java)))
        .filter(|(version, _)| *version >= least)
        .max()
        .map(|(_, java)| java)
        .ok_or_else(|| Missing {
            what: format!("java {least} or newer"),
            how_to_install: format!("apt-get install openjdk-{least}-jre-headless"),
        })
}

fn candidates() -> Vec<PathBuf> {
    let mut found = Vec::new();
    found.extend(std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java")));
    found.extend(on_path("java"));
    let homes = std::fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    found.extend(homes.map(|home| home.path().join("bin/java")));
    found.retain(|java| java.is_file());
    found
}

fn version(java: &PathBuf) -> Option<u32> {
    let out = Command::new(java).arg("-version").output().ok()?;
    major(&String::from_utf8_lossy(&out.stderr))
}

/// The major version in what `java -version` prints: `openjdk version "17.0.15" 2025-04-15`, or `"1.8.0_292"`.
fn major(printed: &str) -> Option<u32> {
    let quoted = printed.split('"').nth(1)?;
    let mut numbers = quoted.split(['.', '_', '-', '+']).map(str::parse::<u32>);
    match numbers.next()?.ok()? {
        1 => numbers.next()?.ok(),
        major => Some(major),
    }
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_is_read_from_old_and_new_forms() {
        assert_eq!(major("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK"), Some(17));
        assert_eq!(major("openjdk version \"25\" 2025-09-16"), Some(25));
        assert_eq!(major("java version \"1.8.0_292\""), Some(8));
        assert_eq!(major("no java here"), None);
    }
}
