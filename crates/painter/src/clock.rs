//! The owner's clock: broker time of the last acked append, plus monotonic time since.
//!
//! It never goes back, never runs more than 30 s ahead without an ack (a silent broker may have stopped), and is not the
//! local wall clock: two owners on two machines must agree on what `clock` in a commit means. When broker and local
//! clock are more than a minute apart, or broker time jumps by more than a minute beyond monotonic time between two acks,
//! deadlines hold while events flow, until somebody has looked.

use tzeva_model::{Millis, UnixMillis};

/// The two local times at which an owner is called; the driver reads them, nobody else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds of monotonic time since the process began.
    pub monotonic: Millis,
    /// The local wall clock.
    pub wall: UnixMillis,
}

/// What a clock that disagrees with the local one asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// All is well.
    Fine,
    /// More than 5 s apart: worth a metric.
    Apart,
    /// More than 60 s apart, or jumped: deadlines hold.
    Hold,
}

/// How far clocks may part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockLimits {
    /// How far the clock may run ahead of the last ack. 30 s by default.
    pub ahead: Millis,
    /// From which distance between broker and local clock it is worth a metric. 5 s by default.
    pub apart: Millis,
    /// From which distance, or beyond which jump, deadlines hold. A minute by default.
    pub hold: Millis,
}

/// Broker time, as far as acks prove it.
#[derive(Clone, Debug)]
pub struct BrokerClock {
    limits: ClockLimits,
    ack: UnixMillis,
    ack_monotonic: Millis,
    last: UnixMillis,
    jumped: bool,
    started: bool,
}

// === impl ClockLimits ===

impl ClockLimits {
    /// For clocks that keep real time.
    pub const REAL: Self =
        Self { ahead: Millis::new(30_000), apart: Millis::new(5_000), hold: Millis::new(60_000) };

    /// For clocks that run `times` as fast.
    #[must_use]
    pub const fn times(self, times: i64) -> Self {
        let Self { ahead, apart, hold } = self;
        Self { ahead: ahead.times(times), apart: apart.times(times), hold: hold.times(times) }
    }
}

// === impl BrokerClock ===

impl BrokerClock {
    /// A clock that has seen no ack; `floor` is the `clock` of the last commit that counts.
    #[must_use]
    pub const fn new(floor: UnixMillis, limits: ClockLimits) -> Self {
        Self {
            limits,
            ack: floor,
            ack_monotonic: Millis::ZERO,
            last: floor,
            jumped: false,
            started: false,
        }
    }

    /// Takes in the log's own time of an acked append.
    pub fn acked(&mut self, time: UnixMillis, now: Moment) {
        if self.started {
            let expected = self.ack + (now.monotonic - self.ack_monotonic);
            self.jumped |= time - expected > self.limits.hold;
        }
        self.started = true;
        self.ack = self.ack.max(time);
        self.ack_monotonic = now.monotonic;
        self.last = self.last.max(time);
    }

    /// Takes in a record time that the broker itself set, or a commit's clock read while recovering: the clock is not
    /// behind it.
    pub fn at_least(&mut self, time: UnixMillis) {
        self.last = self.last.max(time);
    }

    /// Broker time now.
    pub fn now(&mut self, now: Moment) -> UnixMillis {
        if self.started {
            let since =
                (now.monotonic - self.ack_monotonic).min(self.limits.ahead).max(Millis::ZERO);
            self.last = self.last.max(self.ack + since);
        }
        self.last
    }

    /// Whether deadlines may follow this clock.
    pub fn trust(&mut self, now: Moment) -> Trust {
        let apart = (self.now(now) - now.wall).get().abs();
        match () {
            () if self.jumped || apart > self.limits.hold.get() => Trust::Hold,
            () if apart > self.limits.apart.get() => Trust::Apart,
            () => Trust::Fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(monotonic: i64, wall: i64) -> Moment {
        Moment { monotonic: Millis::new(monotonic), wall: UnixMillis::new(wall) }
    }

    #[test]
    fn the_clock_follows_monotonic_time_for_thirty_seconds_after_an_ack() {
        let mut clock = BrokerClock::new(UnixMillis::new(0), ClockLimits::REAL);
        clock.acked(UnixMillis::new(1_000_000), moment(5_000, 1_000_000));
        assert_eq!(clock.now(moment(6_500, 0)), UnixMillis::new(1_001_500));
        assert_eq!(clock.now(moment(95_000, 0)), UnixMillis::new(1_030_000));
    }

    #[test]
    fn the_clock_never_goes_back() {
        let mut clock = BrokerClock::new(UnixMillis::new(0), ClockLimits::REAL);
        clock.acked(UnixMillis::new(1_000_000), moment(0, 0));
        assert_eq!(clock.now(moment(10_000, 0)), UnixMillis::new(1_010_000));
        clock.acked(UnixMillis::new(1_004_000), moment(10_000, 0));
        assert_eq!(clock.now(moment(10_000, 0)), UnixMillis::new(1_010_000));
    }

    #[test]
    fn a_clock_that_runs_faster_has_limits_as_much_wider() {
        let mut clock = BrokerClock::new(UnixMillis::new(0), ClockLimits::REAL.times(60));
        clock.acked(UnixMillis::new(1_000_000), moment(0, 1_000_000));
        assert_eq!(clock.now(moment(900_000, 0)), UnixMillis::new(1_900_000));
        assert_eq!(clock.trust(moment(900_000, 1_900_000 + 61_000)), Trust::Fine);
        assert_eq!(clock.trust(moment(900_000, 1_900_000 + 3_600_001)), Trust::Hold);
    }

    #[test]
    fn a_jump_of_broker_time_holds_the_deadlines() {
        let mut clock = BrokerClock::new(UnixMillis::new(0), ClockLimits::REAL);
        clock.acked(UnixMillis::new(1_000_000), moment(0, 1_000_000));
        assert_eq!(clock.trust(moment(0, 1_000_000)), Trust::Fine);
        assert_eq!(clock.trust(moment(0, 1_006_000)), Trust::Apart);
        clock.acked(UnixMillis::new(1_070_000), moment(1_000, 1_070_000));
        assert_eq!(clock.trust(moment(1_000, 1_070_000)), Trust::Hold);
    }
}
