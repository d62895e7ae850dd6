//! What settings must meet beyond their form; everything wrong is told at once.

use crate::{Settings, SourceSettings};
use tzeva_model::{Currency, Millis, Rate};

/// How the service is to run: some settings bear on one mode only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Kafka and Redis.
    Server,
    /// One folder.
    Embedded,
}

/// Finds every problem: what is wrong and what to write instead. Warnings are told apart by `warning: `.
#[must_use]
pub fn check(settings: &Settings, mode: Mode) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(partitions) = settings.partitions
        && !(partitions.is_power_of_two() && partitions <= 1024)
    {
        problems.push(format!("partitions is {partitions}: give a power of two up to 1024"));
    }
    sources(settings, &mut problems);
    history(settings, &mut problems);
    money(settings, &mut problems);
    tls(settings, mode, &mut problems);
    if !settings.http.listen.ip().is_loopback() && settings.http.token.is_none() {
        let listen = settings.http.listen;
        problems.push(format!("http.listen is {listen}, which others can reach: set http.token, or listen on 127.0.0.1"));
    }
    if !["text", "json"].contains(&settings.log.format.as_str()) {
        problems.push(format!("log.format is `{}`: give text or json", settings.log.format));
    }
    let protocols = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];
    if mode == Mode::Server && !protocols.contains(&settings.kafka.security.as_str()) {
        let (given, known) = (&settings.kafka.security, protocols.join(", "));
        problems.push(format!("kafka.security is `{given}`: give one of {known}"));
    }
    if settings.painter.sweep_per_second == 0 {
        problems.push("painter.sweep_per_second is 0: give at least 1".to_owned());
    }
    if settings.painter.threads == 0 || settings.painter.threads > 64 {
        problems.push(format!("painter.threads is {}: give 1 to 64", settings.painter.threads));
    }
    if mode == Mode::Server && settings.topics.replication == 0 {
        problems.push("topics.replication is 0: give 3, or 1 for a single broker".into());
    }
    problems
}

fn sources(settings: &Settings, problems: &mut Vec<String>) {
    if settings.sources.is_empty() || settings.sources.len() > 32 {
        problems.push(format!("sources has {} topics: give 1 to 32", settings.sources.len()));
    }
    for (index, source) in settings.sources.iter().enumerate() {
        if source.topic.is_empty() {
            problems.push(format!("sources[{index}].topic is missing: name the topic"));
        }
        if settings.sources[..index].iter().any(|other| other.topic == source.topic) {
            problems.push(format!("sources[{index}].topic `{}` is listed twice", source.topic));
        }
        if source.visitor_id.is_empty() {
            problems.push(format!(
                "sources[{index}].visitor_id is empty: name at least one field, such as anonymousId"
            ));
        }
        if source.grace.get() < Millis::ZERO {
            problems.push(format!("sources[{index}].grace is negative"));
        }
    }
    let ids = |source: &SourceSettings| source.visitor_id.clone();
    if settings.sources.windows(2).any(|pair| ids(&pair[0]) != ids(&pair[1])) {
        problems.push(
            "warning: sources look for the visitor id in different fields; until identities are joined, purchases must \
             carry the same id as visits"
                .into(),
        );
    }
}

fn history(settings: &Settings, problems: &mut Vec<String>) {
    let history = &settings.history;
    let age = history.max_age.get();
    if age < Millis::SECOND || age > Millis::DAY.times(400) {
        problems.push(format!("history.max_age is {age}: give 1s to 400d"));
    }
    for (name, value, max) in [
        ("max_strokes", history.max_strokes, 4096),
        ("max_cells", history.max_cells, 10_000),
        ("max_items", history.max_items, 500),
        ("max_total_items", history.max_total_items, 10_000),
    ] {
        if value == 0 || value > max {
            problems.push(format!("history.{name} is {value}: give 1 to {max}"));
        }
    }
    if let Some(idle) = settings.profile.idle
        && idle.get() > age
    {
        problems.push(format!(
            "profile.idle is {}: it can't be longer than history.max_age, {age}",
            idle.get()
        ));
    }
}

/// The currency and what others are worth.
fn money(settings: &Settings, problems: &mut Vec<String>) {
    let known = |text: &str| Currency::try_new(text).is_some();
    if let Some(currency) = &settings.money.currency
        && !known(currency)
    {
        problems.push(format!("money.currency is `{currency}`: give three letters, such as EUR"));
    }
    if settings.money.currency.is_none() && !settings.money.rates.is_empty() {
        problems.push(
            "money.rates are given without `money.currency`: name the one that they lead to".into(),
        );
    }
    for (currency, rate) in &settings.money.rates {
        if !known(currency) {
            problems
                .push(format!("money.rates.{currency}: a currency has three letters, such as USD"));
        }
        if Rate::parse(rate).is_none() {
            problems.push(format!(
                "money.rates.{currency} is `{rate}`: give a number above 0 with at most nine decimals, such as \"0.92\""
            ));
        }
        if settings.money.currency.as_ref().is_some_and(|home| home.eq_ignore_ascii_case(currency))
        {
            problems.push(format!(
                "money.rates.{currency}: that is the currency itself, worth 1; leave it out"
            ));
        }
    }
}

/// What needs a heavy edge that this build may lack.
fn tls(settings: &Settings, mode: Mode, problems: &mut Vec<String>) {
    if mode == Mode::Embedded || cfg!(feature = "tls") {
        return;
    }
    let security = settings.kafka.security.as_str();
    if matches!(security, "ssl" | "sasl_ssl") {
        problems.push(format!(
            "kafka.security is {security}, and this build has no TLS: build with --features tls, or use a release"
        ));
    }
    if settings.redis.url.expose().starts_with("rediss:") {
        problems.push("redis.url asks for TLS, and this build has none: build with --features tls, or use a release".into());
    }
    if settings.registry.url.as_deref().is_some_and(|url| url.starts_with("https:")) {
        problems.push("registry.url asks for TLS, and this build has none: build with --features tls, or use a release".into());
    }
}
