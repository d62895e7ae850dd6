//! `tzeva audience` as a program: what people and build servers see of rule files and of the tests beside them.
#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test itself does")]

mod folders;
mod hostile;
mod outcome;
mod watch;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Paint as it ships.
const PAINT: &str = include_str!("../../../../audiences/retail/paint.yaml");

/// The guide's audience.
const SALE: &str = r#"audience: sale-waiting
describe: Looked at the sale twice this week, has not bought.
enter:
  all:
    - event: { name: product_viewed, where: { category: Sale }, count: ">= 2", within: 7d }
    - not:
        event: { name: order_completed, within: 7d }
"#;

/// A story of it that is true, if it ends on day `{day}` = 7.
const STORY: &str = "tests: sale-waiting
cases:
  - name: two looks make a member, for a week
    events:
      - 0s product_viewed product=shoe-1 category=Sale/Shoes price=40 EUR
      - 1d product_viewed product=hat-1  category=Sale/Hats  price=15 EUR
    expect:
      - 1d entered
      - {day}d exited
";

fn story(day: u32) -> String {
    STORY.replace("{day}", &day.to_string())
}

/// A folder that holds a folder of rules, `my`.
struct Shop(tempfile::TempDir);

impl Shop {
    fn new(files: &[(&str, &str)]) -> Self {
        let shop = Self(tempfile::tempdir().unwrap());
        fs::create_dir(shop.path("my")).unwrap();
        shop.write("paint.yaml", PAINT);
        files.iter().for_each(|(name, text)| shop.write(name, text));
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path("my").join(name), text).unwrap();
    }

    /// A command, nothing of our own settings around it.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tzeva"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TZEVA_")) {
            command.env_remove(name);
        }
        command
    }

    /// Its exit code, what went to stdout, what went to stderr.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }
}
