//! Rules go live as people meet it: a plan, refusals, publications, their history.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test itself does")]

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Output};
use std::thread::JoinHandle;
use support::{Place, RUN, event, pages, signal, until};

const PAINT: &str = "paint:
  half_life: { shop: 30d, brand: 30d, category: 14d, product: 7d }
  events: { product_viewed: { shop: 1 } }
";
const LOOKED: &str = "audience: looked\nenter: { event: { name: product_viewed } }\n";
const TESTED: &str = "tests: looked
cases:
  - name: a look is enough
    events: [ 0s product_viewed product=shoe-1 ]
    expect: [ 0s entered ]
";
/// Also all that looked once leave it.
const LOOKED_TWICE: &str =
    "audience: looked\nenter: { event: { name: product_viewed, count: '>= 2' } }\n";
const ADDED: &str = "audience: added\nenter: { event: { name: product_added } }\n";

/// Twenty visitors looked, five of them put it into the cart; the service has stopped.
fn shop() -> Place {
    let place = Place::new();
    write(&place, "rules/paint.yaml", PAINT);
    write(&place, "rules/looked.yaml", LOOKED);
    write(&place, "rules/tests/looked.yaml", TESTED);
    write(&place, "tzeva.yaml", "audiences: rules\nhttp: {listen: '127.0.0.1:0'}\n");
    let at = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() - 7_200).unwrap();
    let at = at.to_string();
    let looks = (0..20).map(|n| event(&format!("l-{n}"), "Product Viewed", &format!("v-{n}"), &at));
    let adds = (0..5).map(|n| event(&format!("a-{n}"), "Product Added", &format!("v-{n}"), &at));
    write(&place, "events.ndjson", &looks.chain(adds).collect::<Vec<_>>().join("\n"));
    place.drain();
    // The rules that the service ran with, unless it has published them itself.
    let first = apply(&place, &[]);
    assert!(first.status.success(), "{}", said(&first));
    assert!(!said(&first).contains("running services"), "{}", said(&first));
    place
}

fn write(place: &Place, name: &str, text: &str) {
    let path = place.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn apply(place: &Place, more: &[&str]) -> Output {
    let apply = ["audience", "apply", "rules", "--config", "tzeva.yaml", "--data", "data"];
    place.output(&[&apply, more].concat())
}

/// What `apply` did, as programs read it, and its exit code.
fn applied(place: &Place, more: &[&str]) -> (i32, Value) {
    let output = apply(place, &[more, &["--output", "json"]].concat());
    let told = serde_json::from_slice(&output.stdout);
    (output.status.code().unwrap(), told.unwrap_or_else(|_| panic!("{}", said(&output))))
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Version and standing of every publication.
fn history(place: &Place) -> Vec<Value> {
    let look = ["--config", "tzeva.yaml", "--data", "data", "--output", "json"];
    let told = place.fine(&[&["audience", "history"][..], &look].concat());
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_plan_says_who_would_enter_and_the_rules_are_published() {
    let place = shop();
    write(&place, "rules/added.yaml", ADDED);
    let (code, told) = applied(&place, &["--dry-run"]);
    assert_eq!((code, &told["outcome"]), (0, &"dry_run".into()));
    assert_eq!(history(&place).len(), 1);
    let (code, told) = applied(&place, &["--note", "carts too"]);
    assert_eq!((code, &told["outcome"]), (0, &"published".into()), "{told}");
    let plan = &told["plan"];
    assert_eq!(plan["differences"]["added"], serde_json::json!(["added"]));
    assert_eq!(plan["differences"]["unchanged"], 1);
    let members = |name: &str| plan["forecast"]["audiences"][name].clone();
    assert_eq!(members("added"), serde_json::json!({"now": 0, "gained": 5, "lost": 0}));
    assert_eq!(members("looked"), serde_json::json!({"now": 20, "gained": 0, "lost": 0}));
    let history = history(&place);
    assert_eq!(history[1]["version"], told["published"]["version"]);
    assert_eq!(history[1]["parent"], history[0]["version"]);
    assert_eq!(
        (&history[1]["standing"], &history[1]["note"]),
        (&"counts".into(), &"carts too".into())
    );
    let (code, told) = applied(&place, &[]);
    assert_eq!((code, &told["outcome"]), (0, &"unchanged".into()));
}

#[test]
fn removals_and_mass_exits_want_their_flags() {
    let place = shop();
    write(&place, "rules/looked.yaml", LOOKED_TWICE);
    let output = apply(&place, &["--skip-tests"]);
    assert_eq!(output.status.code(), Some(1));
    let told = said(&output);
    assert!(told.contains("20 of 20 members would leave looked"), "{told}");
    assert!(told.contains("--allow-exits 20"), "{told}");
    assert!(told.contains("edited: enter"), "{told}");
    let (code, told) = applied(&place, &["--skip-tests", "--allow-exits", "19"]);
    assert_eq!((code, &told["refused"][0]["code"]), (1, &"exits".into()));
    std::fs::remove_file(place.path("rules/looked.yaml")).unwrap();
    std::fs::remove_file(place.path("rules/tests/looked.yaml")).unwrap();
    write(&place, "rules/added.yaml", ADDED);
    let (code, told) = applied(&place, &["--allow-exits", "20"]);
    assert_eq!((code, &told["refused"][0]["flag"]), (1, &"--remove looked".into()));
    assert_eq!(history(&place).len(), 1);
    let slip = apply(&place, &["--remove", "loked"]);
    assert_eq!(slip.status.code(), Some(64), "{}", said(&slip));
    let (code, told) = applied(&place, &["--remove", "looked"]);
    assert_eq!((code, &told["outcome"]), (0, &"published".into()));
    let members = &told["plan"]["forecast"]["audiences"]["looked"];
    assert_eq!(*members, serde_json::json!({"now": 20, "gained": 0, "lost": 20}));
}

#[test]
fn rules_that_are_refused_or_fail_their_tests_change_nothing() {
    let place = shop();
    let before = history(&place);
    write(&place, "rules/added.yaml", "audience: added\nenter: { evnt: { name: a } }\n");
    write(&place, "rules/other.yaml", "audience: other\nenter: { event: { nmae: a } }\n");
    let output = apply(&place, &["--yes"]);
    assert_eq!(output.status.code(), Some(64));
    let told = said(&output);
    assert!(told.contains("rules/added.yaml:2") && told.contains("rules/other.yaml:2"), "{told}");
    write(&place, "rules/added.yaml", ADDED);
    std::fs::remove_file(place.path("rules/other.yaml")).unwrap();
    write(&place, "rules/tests/looked.yaml", &TESTED.replace("0s entered", "1h entered"));
    let output = apply(&place, &["--yes"]);
    assert_eq!(output.status.code(), Some(1));
    let told = said(&output);
    assert!(told.contains("FAILED looked: a look is enough\n  rules/tests/looked.yaml:"), "{told}");
    assert_eq!(history(&place), before);
    assert_eq!(applied(&place, &["--skip-tests"]).0, 0);
}

#[test]
fn rules_for_another_parent_are_not_published() {
    let place = shop();
    let first = history(&place)[0]["version"].as_str().unwrap().to_owned();
    write(&place, "rules/added.yaml", ADDED);
    assert_eq!(applied(&place, &["--parent", &first]).0, 0);
    write(&place, "rules/more.yaml", &ADDED.replace("added", "more"));
    let (code, told) = applied(&place, &["--parent", &first]);
    assert_eq!((code, &told["refused"][0]["code"]), (1, &"parent".into()), "{told}");
    assert_eq!(history(&place).len(), 2);
}

#[test]
fn a_parent_is_named_as_show_takes_it() {
    let place = shop();
    let first = history(&place)[0]["version"].as_str().unwrap().to_owned();
    write(&place, "rules/added.yaml", ADDED);
    for parent in [first.to_uppercase(), first[..4].to_owned()] {
        let (code, told) = applied(&place, &["--dry-run", "--parent", &parent]);
        assert_eq!((code, &told["outcome"]), (0, &"dry_run".into()), "{told}");
    }
    for malformed in ["hello", "", "2d1935643679ae810"] {
        let output = apply(&place, &["--parent", malformed]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    }
    // Of no publication at all: another one counts.
    let unknown = format!("{}{}", if first.starts_with('0') { "1" } else { "0" }, &first[1..]);
    let output = apply(&place, &["--parent", &unknown]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&unknown) && told.contains(&format!("{first} counts")), "{told}");
}

#[test]
fn programs_are_always_told_the_outcome() {
    let place = shop();
    write(&place, "rules/added.yaml", ADDED);
    let refused = |more: &[&str]| {
        let (code, told) = applied(&place, more);
        let (outcome, why) = (told["outcome"].clone(), told["refused"][0]["code"].clone());
        (code, outcome, why)
    };
    let no = |code, why: &str| (code, Value::from("refused"), Value::from(why));
    assert_eq!(refused(&["--remove", "loked"]), no(64, "remove"));
    write(&place, "rules/tests/looked.yaml", &TESTED.replace("0s entered", "1h entered"));
    assert_eq!(refused(&[]), no(1, "tests"));
    write(&place, "rules/added.yaml", "audience: added\nenter: { evnt: { name: a } }\n");
    assert_eq!(refused(&[]), no(64, "rules"));
    std::fs::remove_dir_all(place.path("rules")).unwrap();
    let (code, told) = applied(&place, &[]);
    assert_eq!((code, &told["outcome"]), (64, &"failed".into()), "{told}");
    assert!(told["error"].as_str().unwrap().contains("rules"), "{told}");
}

#[test]
fn earlier_rules_are_shown_and_applied_again() {
    let place = shop();
    let first = history(&place)[0]["version"].as_str().unwrap().to_owned();
    write(&place, "rules/added.yaml", ADDED);
    assert_eq!(applied(&place, &[]).0, 0);
    let look = ["--config", "tzeva.yaml", "--data", "data"];
    place.fine(&[&["audience", "show", &first[..8], "--to", "old"][..], &look].concat());
    let old = |name: &str| std::fs::read_to_string(place.path("old").join(name)).unwrap();
    assert_eq!((old("looked.yaml"), old("tests/looked.yaml")), (LOOKED.into(), TESTED.into()));
    // Nothing is written over.
    let again = [&["audience", "show", "head", "--to", "old"][..], &look].concat();
    assert_eq!(place.output(&again).status.code(), Some(64));
    let back = ["audience", "apply", "old", "--remove", "added"];
    place.fine(&[&back[..], &look].concat());
    let history = history(&place);
    assert_eq!(history[2]["content"], history[0]["content"]);
    assert_ne!(history[2]["version"], history[0]["version"]);
    assert_eq!(history[2]["files"], 3);
}

#[test]
fn a_running_service_that_holds_the_folder_makes_the_plan() {
    let place = shop();
    let settings = "audiences: rules\nhttp: {listen: '127.0.0.1:0'";
    write(&place, "tzeva.yaml", &format!("{settings}, token: a-token-of-the-service}}\n"));
    let service = running(&place);
    write(&place, "rules/looked.yaml", LOOKED_TWICE);
    write(&place, "without.yaml", &format!("{settings}}}\n"));
    let apply = ["audience", "apply", "rules", "--config", "without.yaml", "--data", "data"];
    let output = place.output(&[&apply[..], &["--skip-tests"]].concat());
    assert_eq!(output.status.code(), Some(64), "{}", said(&output));
    assert!(said(&output).contains("send Authorization: Bearer"), "{}", said(&output));
    // What the service would read in it is another category.
    let other = format!("{settings}, token: a-token-of-the-service}}\ncategory_separator: '|'\n");
    write(&place, "other.yaml", &other);
    let shoes = "audience: shoes\nenter: { event: { name: product_viewed, where: { category: Clothes|Shoes } } }\n";
    write(&place, "rules/shoes.yaml", shoes);
    let apply = ["audience", "apply", "rules", "--config", "other.yaml", "--data", "data"];
    let output = place.output(&[&apply[..], &["--skip-tests"]].concat());
    assert_eq!(output.status.code(), Some(64), "{}", said(&output));
    assert!(said(&output).contains("reads other rules in these files"), "{}", said(&output));
    std::fs::remove_file(place.path("rules/shoes.yaml")).unwrap();
    let (code, told) = applied(&place, &["--skip-tests"]);
    assert_eq!((code, &told["outcome"]), (1, &"refused".into()), "{told}");
    let members = &told["plan"]["forecast"]["audiences"]["looked"];
    assert_eq!(*members, serde_json::json!({"now": 20, "gained": 0, "lost": 20}));
    let (code, told) = applied(&place, &["--skip-tests", "--allow-exits", "20"]);
    assert_eq!((code, &told["outcome"]), (0, &"published".into()), "{told}");
    assert_eq!(history(&place)[1]["standing"], "counts");
    service.stop();
}

/// A service that holds the folder.
struct Running {
    service: Child,
    address: String,
    drain: JoinHandle<std::io::Result<u64>>,
}

fn running(place: &Place) -> Running {
    let mut service = place.start(RUN);
    let mut log = BufReader::new(service.stderr.take().unwrap());
    let address = pages(&mut log);
    // What it says from now on is nobody's business, but it must be able to say it.
    let drain = std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    Running { service, address, drain }
}

impl Running {
    fn stop(mut self) {
        signal(&self.service, "-TERM");
        assert!(self.service.wait().unwrap().success());
        self.drain.join().unwrap().unwrap();
    }

    /// Stands before the pages of the service: `meddle` sees each request's number, and may answer it.
    fn before(
        &self,
        place: &Place,
        mut meddle: impl FnMut(usize) -> Option<&'static str> + Send + 'static,
    ) {
        let (real, door) = (self.address.clone(), TcpListener::bind("127.0.0.1:0").unwrap());
        let file = place.path("data/http.address");
        until("the service has noted its address", || {
            std::fs::read_to_string(&file).is_ok_and(|noted| noted.trim() == real)
        });
        std::fs::write(file, door.local_addr().unwrap().to_string()).unwrap();
        std::thread::spawn(move || {
            for (number, client) in door.incoming().enumerate() {
                let mut client = BufReader::new(client.unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while client.read_line(&mut line).unwrap() > 2 {
                    let header = line.to_lowercase();
                    if let Some(value) = header.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                client.read_exact(&mut body).unwrap();
                let mut service = TcpStream::connect(&real).unwrap();
                let head = "POST /v1/rules/plan HTTP/1.1\r\nhost: tzeva\r\nconnection: close";
                let kind = "content-type: application/json";
                write!(service, "{head}\r\n{kind}\r\ncontent-length: {length}\r\n\r\n").unwrap();
                service.write_all(&body).unwrap();
                let mut answer = Vec::new();
                service.read_to_end(&mut answer).unwrap();
                let other = meddle(number).map(|other| other.as_bytes().to_vec());
                client.get_mut().write_all(&other.unwrap_or(answer)).unwrap();
            }
        });
    }
}

#[test]
fn rules_that_somebody_else_published_meanwhile_need_no_publication() {
    let place = shop();
    let service = running(&place);
    write(&place, "rules/added.yaml", ADDED);
    write(&place, "other/paint.yaml", PAINT);
    write(&place, "other/looked.yaml", LOOKED);
    let publish = |folder: &str| {
        let apply = ["audience", "apply", folder, "--config", "tzeva.yaml", "--data", "data"];
        place.command(&apply)
    };
    let (mut same, mut back) = (publish("rules"), publish("other"));
    back.args(["--remove", "added"]);
    let real = service.address.clone();
    let file = place.path("data/http.address");
    service.before(&place, move |number| {
        // While the plan is on its way somebody publishes: first the same, then other rules.
        std::fs::write(&file, &real).unwrap();
        let others = if number == 0 { &mut same } else { &mut back };
        assert!(others.output().unwrap().status.success());
        None
    });
    let door = std::fs::read(place.path("data/http.address")).unwrap();
    let (code, told) = applied(&place, &[]);
    assert_eq!((code, &told["outcome"]), (0, &"unchanged".into()), "{told}");
    assert_eq!(history(&place).len(), 2);
    std::fs::write(place.path("data/http.address"), door).unwrap();
    write(&place, "rules/more.yaml", &ADDED.replace("added", "more"));
    let (code, told) = applied(&place, &[]);
    assert_eq!((code, &told["refused"][0]["code"]), (75, &"stale".into()), "{told}");
    service.stop();
}

#[test]
fn while_another_plan_is_made_it_is_asked_again() {
    const BUSY: &str = "HTTP/1.1 409 Conflict\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let place = shop();
    let service = running(&place);
    write(&place, "rules/added.yaml", ADDED);
    service.before(&place, |number| (number != 1).then_some(BUSY));
    let (code, told) = applied(&place, &["--dry-run"]);
    assert_eq!((code, &told["outcome"]), (0, &"dry_run".into()), "{told}");
    let (code, told) = applied(&place, &["--dry-run"]);
    assert_eq!((code, &told["outcome"]), (75, &"failed".into()), "{told}");
    assert!(told["error"].as_str().unwrap().contains("another plan"), "{told}");
    service.stop();
}

#[test]
fn a_run_until_drained_brings_everybody_under_the_newest_rules() {
    let place = shop();
    write(&place, "rules/looked.yaml", LOOKED_TWICE);
    write(&place, "rules/added.yaml", ADDED);
    std::fs::remove_dir_all(place.path("rules/tests")).unwrap();
    let (code, told) = applied(&place, &["--allow-exits", "20"]);
    assert_eq!((code, &told["outcome"]), (0, &"published".into()), "{told}");
    place.drain();
    let changes = place.fine(&["changes", "show", "--config", "tzeva.yaml", "--data", "data"]);
    let by_rules = |word: &str| changes.lines().filter(|line| line.contains(word)).count();
    assert_eq!((by_rules("exited   looked"), by_rules("entered  added")), (20, 5), "{changes}");
}

#[test]
fn a_folder_that_is_not_there_has_no_history() {
    let place = shop();
    for command in [
        &["audience", "history"][..],
        &["audience", "show", "head", "--to", "old"],
        &["audience", "apply", "rules", "--parent", "0"],
    ] {
        let output =
            place.output(&[command, &["--config", "tzeva.yaml", "--data", "typo"]].concat());
        assert_eq!(output.status.code(), Some(64), "{}", said(&output));
        assert!(said(&output).contains("data folder typo does not exist"), "{}", said(&output));
    }
}

#[test]
fn a_visitor_of_a_folder_in_use_is_asked_for_by_way_of_its_service() {
    let place = shop();
    let settings =
        "audiences: rules\nhttp: {listen: '127.0.0.1:0', token: a-token-of-the-service}\n";
    write(&place, "tzeva.yaml", settings);
    let commands = [&["visitor", "show", "v-1"][..], &["explain", "looked", "v-1"]];
    let place_of = ["--config", "tzeva.yaml", "--data", "data"];
    let told = |command: &[&str]| place.fine(&[command, &place_of].concat());
    let free = commands.map(told);
    let service = running(&place);
    until("the service has its partitions", || {
        place.output(&[commands[1], &place_of].concat()).status.success()
    });
    // Scores fade from one moment to the next.
    let lines = |told: &str| told.lines().filter(|line| !line.starts_with("shop")).count();
    for (command, free) in commands.into_iter().zip(free) {
        assert_eq!(lines(&told(command)), lines(&free), "{free}");
        let json = told(&[command, &["--output", "json"]].concat());
        assert!(json.starts_with(r#"{"visitor":"v-1","#), "{json}");
    }
    assert!(told(commands[1]).starts_with("v-1 is in "), "{}", told(commands[1]));
    for unknown in [&["visitor", "show", "v-99"][..], &["explain", "looked", "v/99"]] {
        let output = place.output(&[unknown, &place_of].concat());
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains("not known here"), "{}", said(&output));
    }
    service.stop();
}
