//! New rules: the switch, at one point of the log.
//!
//! It is a commit of its own without inputs, and its instant is engine time, which first goes on as far as all is decided:
//! at the end of the sources it follows the clock, behind a backlog it goes up to the next record. From there on whoever is
//! met by an event or a deadline is brought up to date, and `sweep.rs` meets the rest. The next switch waits until that is
//! done, so nobody is ever behind by more than one set of rules.

use super::reign::{Reign, Stage};
use super::sweep::Sweeping;
use super::{Owner, Ownership, Trouble};
use crate::batch::{Batch, Decided};
use crate::clock::Moment;
use crate::effect::Refusal;
use crate::rules::Known;
use tzeva_commit::Sweep;
use tzeva_engine::Rules;
use tzeva_model::{RulesVersion, UnixMillis};

impl Owner {
    /// The rules that the log names.
    ///
    /// Where publications are followed, a set that nobody here has heard of yet is waited for, however long it takes: their
    /// topic may be out of reach, and no restart would help then. Who is told of what is waited for knows whether it can come.
    pub(super) fn rules_of(&mut self, version: RulesVersion) -> Result<Rules, Trouble> {
        let (partition, named) = (self.partition, format!("{:016x}", version.get()));
        match self.settings.rules.get(version) {
            Known::Usable(rules) => Ok(rules),
            Known::Unusable(why) => Err(Trouble::Refuse(Refusal::unfit(format!(
                "partition {partition} is decided under rules {named}, which this process can't run: {why}"
            )))),
            Known::Unheard => {
                let newest = self.settings.rules.newest();
                let newest =
                    newest.map_or_else(|| "none".into(), |r| format!("{:016x}", r.version().get()));
                let known = format!(
                    "partition {partition} was decided under rules {named}, and the newest known are {newest}"
                );
                if self.settings.rules.are_followed() {
                    self.unheard = Some(version);
                    return Err(Trouble::Again(format!(
                        "{known}: it waits until those are heard of; if they don't come, the log and the publications \
                         don't belong together: see that topics.rules names the topic of the other painters"
                    )));
                }
                Err(Trouble::Refuse(Refusal::unfit(format!(
                    "{known}: the log and the publications don't belong together; put the former ones back, or begin a \
                     new log (a new --data folder, or new topics)"
                ))))
            }
        }
    }

    /// Tells whether rules that the log names are still to be heard of: until then a claim leads nowhere.
    pub(super) fn lacks_rules(&self) -> bool {
        self.unheard.is_some_and(|version| !self.settings.rules.holds(version))
    }

    /// Goes on with the sweep that the log tells of.
    pub(super) fn resume_sweep(&self, reign: &mut Reign, former: Rules, logged: Sweep) {
        let met = logged.met.clone().map(|met| (met.shard, met.last));
        reign.engine.resume_sweep(former, logged.since, met);
        let shards: Vec<_> = self.partition.shards(self.settings.partitions).collect();
        reign.sweeping = Some(Sweeping::new(logged, &shards, &reign.overlay));
    }

    /// Switches to new rules, or brings their sweep on.
    pub(super) fn follow_rules(&mut self, now: Moment) -> Result<(), Trouble> {
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        let ready =
            matches!(reign.stage, Stage::Idle) && reign.flights.len() < self.settings.pace.flights;
        if reign.sweeping.is_some() {
            while self.sweep(ready, now)? {}
        } else if ready && self.switch(now)? {
            return self.follow_rules(now);
        }
        Ok(())
    }

    /// Tells whether new rules wait for engine time to follow the clock.
    pub(super) fn waits_to_switch(&self) -> bool {
        let grace = self.grace();
        let Ownership::Owning(reign) = &self.state else { return false };
        reign.rules_noticed.is_some_and(|at| reign.engine.engine_time() + grace < at)
    }

    /// Switches, if there is something to switch to. True: engine time went on first, and the switch can go on.
    fn switch(&mut self, now: Moment) -> Result<bool, Trouble> {
        let (clock, grace, limit) =
            (self.clock.now(now), self.grace(), self.settings.pace.deadlines);
        let Ownership::Owning(reign) = &mut self.state else { return Ok(false) };
        let published = self.settings.rules.length();
        if reign.rules_seen == published {
            return Ok(false);
        }
        let former = reign.engine.rules().version();
        let Some(next) = self.settings.rules.after(former) else {
            reign.rules_seen = published;
            return Ok(false);
        };
        let noticed = *reign.rules_noticed.get_or_insert(clock);
        let since = reign.engine.engine_time();
        match reign.inputs.next_time(clock) {
            // Only a proof tells that nothing came before the publication.
            None if since + grace < noticed => return Ok(false),
            // All before the next record is decided.
            Some(record) if since < record.min(noticed) => {
                let reach = record.min(noticed).min(reign.armed_until);
                if reach <= since {
                    return Ok(false);
                }
                let until = reign.engine.until_within(reach, limit);
                return self.without_inputs(until, now).map(|()| true);
            }
            None | Some(_) => {}
        }
        let version = next.version();
        tracing::info!(
            partition = self.partition.get(),
            former = format!("{:016x}", former.get()),
            rules = format!("{:016x}", version.get()),
            %since,
            "new rules"
        );
        reign.rules_noticed = None;
        reign.audiences_met = false;
        reign.engine.activate(next);
        let shards: Vec<_> = self.partition.shards(self.settings.partitions).collect();
        let logged = Sweep { former, since, met: None };
        reign.sweeping = Some(Sweeping::new(logged, &shards, &reign.overlay));
        self.observations.activations += 1;
        let batch = self.nothing_cut(now);
        self.append(&batch, Decided::default(), now).map(|()| false)
    }

    /// A batch that moves no input; empty while nothing is owned.
    pub(super) fn nothing_cut(&mut self, now: Moment) -> Batch {
        let clock = self.clock.now(now);
        match &mut self.state {
            Ownership::Owning(reign) => Batch::new(reign.inputs.cut(0, UnixMillis::MIN, clock)),
            _ => Batch::default(),
        }
    }
}
