//! `tzeva topics`: makes the topics, and checks them.

use crate::config::SettingsArgs;
use crate::exit::{Exit, Failure};
use crate::kafka;
use crate::out;
use clap::Subcommand;
use tzeva_kafka::admin::{Made, Plan};
use tzeva_settings::Mode;

/// What `tzeva topics` does.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Make every topic that is missing, as the settings say; a topic that is there is left as it is.
    Create(SettingsArgs),
    /// Look for everything about the topics that a start would refuse, and say how to mend it.
    Check(SettingsArgs),
}

pub(crate) fn run(action: Action) -> Result<Exit, Failure> {
    let (Action::Create(given) | Action::Check(given)) = &action;
    let settings = given.load(Mode::Server)?.settings;
    let admin = kafka::admin(&settings)?;
    if let Action::Create(_) = action {
        let defaults = Plan::default();
        let plan = Plan {
            partitions: settings.partitions.unwrap_or(defaults.partitions),
            replication: settings.topics.replication,
        };
        let mut failed = false;
        for made in admin.create(&plan).map_err(kafka::failure)? {
            match made {
                Made::New(topic) => out::line(format_args!("made   {topic}")),
                Made::Existed(topic) => out::line(format_args!("there  {topic}")),
                Made::Failed(topic, why) => {
                    failed = true;
                    out::line(format_args!("failed {topic}: {why}"))
                }
            };
        }
        if failed {
            return Ok(Exit::No);
        }
    }
    let checked = kafka::checked(&admin, &settings)?;
    for fault in &checked.faults {
        out::line(fault);
    }
    match (checked.faults.is_empty(), checked.partitions) {
        (true, Some(partitions)) => {
            out::line(format_args!("the topics are fine: {partitions} partitions"));
            Ok(Exit::Fine)
        }
        _ => Ok(Exit::No),
    }
}
