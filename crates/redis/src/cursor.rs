//! Cursors of walks. What `HSCAN` gives out means something to the process that gave it only: another one hashes
//! otherwise, takes the cursor for some other place, and leaves visitors out without a word. So the port's cursor carries
//! which connection it came from, and one of a former connection is no cursor any more.

use tzeva_commit::port::PortError;
use tzeva_model::Shard;

/// Bits of the server's cursor, which is less than the hash's buckets: room for a million million visitors of a shard.
const BITS: u32 = 40;

/// One connection of a lane, told apart from those before it by its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line(u64);

// === impl Line ===

impl Line {
    /// The connection behind this one. After 16 million numbers begin anew: no walk is that old.
    pub(crate) fn next(self) -> Self {
        Self((self.0 + 1) % (1 << (u64::BITS - BITS)))
    }

    /// The port's cursor for one that the server gave out on this connection.
    pub(crate) fn pack(self, theirs: u64) -> Result<u64, PortError> {
        if theirs >> BITS == 0 {
            return Ok(self.0 << BITS | theirs);
        }
        let attempt = format!("HSCAN: a cursor of {theirs} is larger than any hash");
        Err(PortError { attempt, transient: false })
    }

    /// The server's cursor. One of a former connection is refused, so that the walk begins anew.
    pub(crate) fn unpack(self, shard: Shard, cursor: u64) -> Result<u64, PortError> {
        // Where a walk begins, it begins on every connection.
        if cursor == 0 || cursor >> BITS == self.0 {
            return Ok(cursor & ((1 << BITS) - 1));
        }
        let attempt = format!(
            "go on with a walk over shard {shard}: the connection that it began on was lost, and the cursor with it"
        );
        Err(PortError { attempt, transient: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARD: Shard = Shard::new(3);

    #[test]
    fn a_cursor_is_good_on_its_own_connection_only() {
        let mut line = Line::default();
        for theirs in [1, 1_809, (1 << BITS) - 1] {
            let cursor = line.pack(theirs).unwrap();
            assert_eq!(line.unpack(SHARD, cursor), Ok(theirs));
            line = line.next();
            let error = line.unpack(SHARD, cursor).unwrap_err();
            assert!(error.transient && error.attempt.contains("shard 3"), "{error}");
            assert_eq!(line.unpack(SHARD, 0), Ok(0), "a walk begins anywhere");
        }
        assert!(!line.pack(1 << BITS).unwrap_err().transient);
    }

    #[test]
    fn numbers_begin_anew_where_they_end() {
        let last = Line((1 << (u64::BITS - BITS)) - 1);
        let cursor = last.pack(7).unwrap();
        assert_eq!(last.unpack(SHARD, cursor), Ok(7));
        assert_eq!(last.next(), Line::default());
        assert!(last.next().unpack(SHARD, cursor).is_err());
    }
}
