//! From a hint of the group to a claim of our own.

use super::{Owner, Ownership, Recover, Trouble, rest};
use crate::clock::Moment;
use crate::effect::{Effect, Refusal};
use tzeva_commit::port::{AppendResult, LogPage, LogReply, PortError, Ticket};
use tzeva_commit::{Anchor, AnchorCause, Claim, LogRecord, encode};
use tzeva_model::{ChangeNumber, Incarnation, LogOffset, Millis, Seq, UnixMillis};

impl Owner {
    /// Asks where the log begins and ends.
    pub(super) fn probe(&mut self) {
        let ticket = self.ticket();
        self.effects.push(Effect::ReadLog(ticket, LogOffset::new(0), Some(LogOffset::new(0))));
        self.unheard = None;
        self.enter(Ownership::Probing(ticket));
    }

    pub(super) fn log(&mut self, reply: LogReply, now: Moment) -> Result<(), Trouble> {
        match reply {
            LogReply::Appended(_, ticket, result) => self.appended(ticket, result, now),
            LogReply::Read(_, ticket, page) => self.log_read(ticket, page, now),
        }
    }

    fn appended(
        &mut self,
        ticket: Ticket,
        result: AppendResult,
        now: Moment,
    ) -> Result<(), Trouble> {
        match self.state {
            Ownership::Anchoring(mine) if mine == ticket => {
                // Another painter's anchor may have come first: the log tells which one counts.
                match result {
                    AppendResult::Refused(error) => {
                        return Err(Trouble::Refuse(Refusal::world(&error)));
                    }
                    AppendResult::Unknown(error) => {
                        return Err(Trouble::Unknown(ticket, error.to_string()));
                    }
                    AppendResult::At(..) => self.claim(),
                }
                Ok(())
            }
            Ownership::Claiming(mine) if mine == ticket => match result {
                AppendResult::At(offset, time) => {
                    self.clock.acked(time, now);
                    self.observations.claims += 1;
                    self.recover(offset);
                    Ok(())
                }
                AppendResult::Unknown(error) => Err(Trouble::Unknown(ticket, error.to_string())),
                AppendResult::Refused(error) => Err(Self::refuse_or_again(&error)),
            },
            Ownership::Owning(_) => self.settled(ticket, result, now),
            _ => Ok(()),
        }
    }

    fn log_read(
        &mut self,
        ticket: Ticket,
        page: Result<LogPage, PortError>,
        now: Moment,
    ) -> Result<(), Trouble> {
        match &self.state {
            Ownership::Probing(mine) if *mine == ticket => {
                let page = page.map_err(|error| Self::refuse_or_again(&error))?;
                self.log_begin = page.begin;
                if rest(page.begin, page.end).is_none() {
                    return self.anchor(now);
                }
                self.claim();
                Ok(())
            }
            Ownership::Recovering(_) => self.recovery_page(ticket, page),
            Ownership::Owning(_) => self.gap_page(ticket, page, now),
            _ => Ok(()),
        }
    }

    /// Opens an empty log.
    fn anchor(&mut self, now: Moment) -> Result<(), Trouble> {
        let Some(positions) = self.first.clone() else {
            return Err(Trouble::Refuse(Refusal::unfit(format!(
                "the log of partition {} is empty, and nothing says where to begin: start once with --from \
                 earliest, --from latest or --from TIME",
                self.partition
            ))));
        };
        let Some(rules) = self.settings.rules.newest() else {
            return Err(Trouble::Refuse(Refusal::unfit(format!(
                "the log of partition {} is empty, and no rules were published that this process can run",
                self.partition
            ))));
        };
        let incarnation = Incarnation::new(self.draw() ^ now.wall.get().cast_unsigned());
        let topics = self.settings.topics.iter().map(|topic| topic.name.as_str().into());
        let anchor = Anchor {
            incarnation,
            partitions: self.settings.partitions,
            seq: Seq::new(0),
            n: ChangeNumber::new(0),
            until: UnixMillis::new(0),
            inputs: topics.zip(positions).collect(),
            rules_version: rules.version(),
            swept: rules.version(),
            cause: AnchorCause::First,
            lost: vec![],
        };
        let ticket = self.ticket();
        self.effects.push(Effect::Append(ticket, encode(&LogRecord::Anchor(anchor))));
        self.enter(Ownership::Anchoring(ticket));
        Ok(())
    }

    /// Appends a claim; its offset will be the epoch.
    fn claim(&mut self) {
        let nonce = self.draw();
        let claim = Claim { owner: self.settings.owner.as_str().into(), nonce };
        let ticket = self.ticket();
        self.effects.push(Effect::Append(ticket, encode(&LogRecord::Claim(claim))));
        self.enter(Ownership::Claiming(ticket));
    }

    /// Begins to recover under the claim at `offset`.
    fn recover(&mut self, offset: LogOffset) {
        let ticket = self.ticket();
        let shards: Vec<_> = self.partition.shards(self.settings.partitions).collect();
        self.effects.push(Effect::ReadStore(ticket, shards.iter().map(|&s| (s, vec![])).collect()));
        self.enter(Ownership::Recovering(Box::new(Recover::new(offset, ticket))));
    }

    /// A reign began: the next trouble waits the shortest time again.
    pub(super) fn calm(&mut self) {
        self.backoff = self.settings.pace.claim_again.max(Millis::new(1));
    }
}
