//! Where a first start reads from: said by a person, once, and never guessed. Later starts read it from the log.

use crate::exit::Failure;
use anyhow::anyhow;
use tzeva_kafka::admin::{Admin, StartFrom};
use tzeva_model::{SourceOffset, UnixMillis};
use tzeva_settings::Settings;

/// The offset of each source topic of each partition, if the log of any is empty.
pub(super) fn offsets(
    admin: &Admin,
    settings: &Settings,
    partitions: u16,
    from: Option<&str>,
) -> Result<Option<Vec<Vec<SourceOffset>>>, Failure> {
    let from = from.map(parse).transpose()?;
    let mut empty = Vec::new();
    for partition in 0..partitions {
        let (begin, end) = admin.bounds(&settings.topics.log, partition).map_err(Failure::world)?;
        if begin == 0 && end == 0 {
            empty.push(partition);
        }
    }
    match (from, empty.first()) {
        (_, None) => Ok(None),
        (None, Some(_)) => {
            let (count, log) = (empty.len(), &settings.topics.log);
            Err(Failure::settings(anyhow!(
                "{count} of {partitions} partitions of {log} are empty, this is their first start: say where to \
                 read from with --from earliest, --from latest, or --from 2026-11-01T00:00:00Z"
            )))
        }
        (Some(from), Some(_)) => {
            admin.start_offsets(partitions, from).map(Some).map_err(Failure::world)
        }
    }
}

fn parse(text: &str) -> Result<StartFrom, Failure> {
    match text {
        "earliest" => Ok(StartFrom::Earliest),
        "latest" => Ok(StartFrom::Latest),
        time => match time.parse::<jiff::Timestamp>() {
            Ok(time) => Ok(StartFrom::Time(UnixMillis::new(time.as_millisecond()))),
            Err(_) => Err(Failure::settings(anyhow!(
                "--from {time}: give earliest, latest, or an instant such as 2026-11-01T00:00:00Z"
            ))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_of_any_offset_is_taken() {
        let utc = UnixMillis::new(1_793_530_800_000);
        assert_eq!(parse("2026-11-01T12:00:00+01:00").unwrap(), StartFrom::Time(utc));
        assert_eq!(parse("earliest").unwrap(), StartFrom::Earliest);
        assert!(parse("yesterday").unwrap_err().error.to_string().contains("2026-11-01"));
    }
}
