//! `tzeva audience test --watch` while somebody edits: what is shown is waited for, with a deadline.

use super::{SALE, Shop, story};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// A run that goes on, and its lines as they come.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(shop: &Shop) -> Self {
        let mut command = shop.command(&["audience", "test", "my", "--watch"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        forward(child.stdout.take().unwrap(), sender.clone());
        forward(child.stderr.take().unwrap(), sender);
        Self { child, lines }
    }

    /// Waits for all of these, each in some line, and for the end of that run.
    fn sees(&self, words: &[&str]) {
        let mut missing: Vec<&str> = words.to_vec();
        missing.push("waiting for changes in my");
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut seen = String::new();
        while !missing.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("{missing:?} did not come after\n{seen}"));
            missing.retain(|word| !line.contains(word));
            seen += &line;
            seen.push('\n');
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Of a run that has ended already nothing is left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends on each line.
fn forward(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { return };
            if to.send(line).is_err() {
                return;
            }
        }
    });
}

#[test]
fn each_save_is_followed_by_a_run_and_ctrl_c_ends_it_well() {
    let shop = Shop::new(&[("sale.yaml", SALE), ("sale.tests.yaml", &story(7))]);
    let mut watching = Watching::start(&shop);
    watching.sees(&["my: 1 case of 1 audience in", "passed"]);

    shop.write("sale.tests.yaml", &story(8));
    watching.sees(&["FAILED sale-waiting", "! 8d  exited was expected", "1 failed"]);

    // As editors do: a file beside it, renamed over it.
    let (beside, tests) = (shop.path("my/.sale.tests.yaml.swp"), shop.path("my/sale.tests.yaml"));
    fs::write(&beside, story(7)).unwrap();
    fs::rename(&beside, &tests).unwrap();
    watching.sees(&["1 case of 1 audience in", "passed"]);

    shop.write("sale.yaml", &SALE.replace("within: 7d }", "within: 7d"));
    watching.sees(&["error[yaml_syntax]", "no test was run"]);

    shop.write("sale.yaml", SALE);
    watching.sees(&["1 case of 1 audience in", "passed"]);

    let more = format!(
        "{}---\n{}",
        SALE.replace("sale-waiting", "more"),
        story(7).replace("sale-waiting", "more")
    );
    fs::create_dir(shop.path("my/deep")).unwrap();
    shop.write("deep/more.yaml", &more);
    watching.sees(&["2 cases of 2 audiences in", "all passed"]);

    fs::remove_file(shop.path("my/deep/more.yaml")).unwrap();
    watching.sees(&["1 case of 1 audience in", "passed"]);

    fs::write(shop.path("my/sale.yaml"), [0xff, 0xfe, b'a', 0]).unwrap();
    watching.sees(&["my/sale.yaml:1:1", "save the file as UTF-8"]);

    fs::remove_dir_all(shop.path("my")).unwrap();
    watching.sees(&["No such file"]);

    fs::create_dir(shop.path("my")).unwrap();
    watching.sees(&["holds no audience files"]);
    shop.write("all.yaml", &format!("{}---\n{SALE}---\n{}", super::PAINT, story(7)));
    watching.sees(&["1 case of 1 audience in", "passed"]);

    let id = watching.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(watching.child.wait().unwrap().code(), Some(0));
}
