//! Positions and numbers of the stream, each its own type: a source offset that lands where a log offset is due would
//! lose data, so no two of them mix, and none is made from a bare number by accident.

use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl $name {
            /// From the bare number, at an edge or from a stored form.
            #[must_use]
            pub const fn new(number: $inner) -> Self {
                Self(number)
            }

            /// The bare number.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// One of 1,024 fixed slices of all visitors.
    Shard(u16)
}
number! {
    /// What one owner owns: one index across source topics, log, changes and dead letters.
    Partition(u16)
}
number! {
    /// A record's offset in a source topic's partition.
    SourceOffset(i64)
}
number! {
    /// A record's offset in the log of a partition.
    LogOffset(i64)
}
number! {
    /// The offset of the claim that an owner decides under.
    Epoch(i64)
}
number! {
    /// The dense number of a commit within a log; the first is 1, the anchor says what came before.
    Seq(u64)
}
number! {
    /// The dense number of a change within a partition and incarnation; the first is 1.
    ChangeNumber(u64)
}
number! {
    /// Which life of a log: drawn when its first anchor is written, new after a restore.
    Incarnation(u64)
}
number! {
    /// A source topic by its place in the settings' list; the place breaks ties between topics.
    TopicIndex(u8)
}
number! {
    /// A rule set: xxh3 of its canonical text. 0 stands for no rules at all.
    RulesVersion(u64)
}

impl Shard {
    /// The partition it belongs to among `count`, a power of two up to 1,024.
    #[must_use]
    pub const fn partition(self, count: u16) -> Partition {
        Partition(self.0 % count)
    }
}

impl Partition {
    /// The shards of this partition among `count`, ascending.
    pub fn shards(self, count: u16) -> impl Iterator<Item = Shard> {
        (self.0..crate::SHARDS).step_by(usize::from(count)).map(Shard)
    }
}

impl Seq {
    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl ChangeNumber {
    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl SourceOffset {
    /// The offset after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl LogOffset {
    /// The offset after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// This offset read as the epoch of the claim that lies there.
    #[must_use]
    pub const fn as_epoch(self) -> Epoch {
        Epoch(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partitions_share_out_all_shards() {
        let mut seen: Vec<u16> =
            (0..64).flat_map(|p| Partition::new(p).shards(64).map(Shard::get)).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..crate::SHARDS).collect::<Vec<_>>());
    }
}
