//! Keys and values of the folder's keyspaces. All numbers are big-endian, so that the order of keys is the order of
//! things; offsets are never negative.
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | `meta` | `form`, `partitions`, `log_clock` | u16; u16; i64, the highest time given to a log entry |
//! | `log` | partition u16, offset u64 | time i64, record |
//! | `profiles` | shard u16, visitor id | stored profile; under the empty visitor id the shard's marker |
//! | `due` | shard u16, bucket i64 (sign bit flipped), visitor id | empty |
//! | `src` | topic, 0x00, partition u16, offset u64 | message |
//! | `ingest` | name of an input | its position, as its reader wrote it |
//! | `changes` | partition u16, n u64 | message |
//! | `dead_letters` | partition u16, topic, 0x00, offset u64 | message |
//! | `names` | `<kind>/<16 hex digits>` | canonical text |
//!
//! A message is: time i64; 0x00, or 0x01 and the key; number of headers u16, each a name and a value; the body up to
//! the end. Key, names and values of headers are a length u32 and that many bytes.

use tzeva_model::{ChangeNumber, Partition, Shard, SourceOffset, UnixMillis, VisitorId};

/// The form of the folder that this code writes and reads.
pub(crate) const FORM: u16 = 1;

/// A message as it lies in `src`, `changes` and `dead_letters`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) time: UnixMillis,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

// === impl Message ===

impl Message {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32 + self.body.len());
        out.extend(self.time.get().to_be_bytes());
        match &self.key {
            None => out.push(0),
            Some(key) => {
                out.push(1);
                put(&mut out, key);
            }
        }
        let kept = self.headers.len().min(usize::from(u16::MAX));
        #[expect(clippy::cast_possible_truncation, reason = "cut to the type's range")]
        out.extend((kept as u16).to_be_bytes());
        for (name, value) in &self.headers[..kept] {
            put(&mut out, name.as_bytes());
            put(&mut out, value);
        }
        out.extend(&self.body);
        out
    }

    /// `None`: these bytes are no message.
    pub(crate) fn decode(mut stored: &[u8]) -> Option<Self> {
        let rest = &mut stored;
        let time = UnixMillis::new(i64::from_be_bytes(fixed(rest)?));
        let key = match fixed::<1>(rest)? {
            [0] => None,
            [1] => Some(take(rest)?.to_vec()),
            _ => return None,
        };
        let mut headers = Vec::new();
        for _ in 0..u16::from_be_bytes(fixed(rest)?) {
            let name = String::from_utf8(take(rest)?.to_vec()).ok()?;
            headers.push((name, take(rest)?.to_vec()));
        }
        Some(Self { time, key, headers, body: rest.to_vec() })
    }
}

/// Writes a length and the bytes.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend(length.to_be_bytes());
    out.extend(&bytes[..length as usize]);
}

/// Takes what `put` wrote.
fn take<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_be_bytes(fixed(input)?) as usize;
    let (taken, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(taken)
}

/// Takes `N` bytes.
pub(crate) fn fixed<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = input.split_first_chunk::<N>()?;
    *input = rest;
    Some(*taken)
}

/// A partition and a dense number: the keys of `log` and `changes`.
pub(crate) fn numbered(partition: Partition, number: u64) -> [u8; 10] {
    let mut key = [0; 10];
    key[..2].copy_from_slice(&partition.get().to_be_bytes());
    key[2..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The number at the end of a key.
pub(crate) fn trailing_number(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The key of a change.
pub(crate) fn change_key(partition: Partition, n: ChangeNumber) -> [u8; 10] {
    numbered(partition, n.get())
}

/// The key of a profile; `None`: of the shard's marker.
pub(crate) fn profile_key(shard: Shard, visitor: Option<&VisitorId>) -> Vec<u8> {
    let mut key = shard.get().to_be_bytes().to_vec();
    key.extend(visitor.map_or("", VisitorId::as_str).as_bytes());
    key
}

/// What all keys of a due set begin with.
pub(crate) fn due_prefix(shard: Shard, bucket: UnixMillis) -> Vec<u8> {
    let mut key = shard.get().to_be_bytes().to_vec();
    key.extend((bucket.get() ^ i64::MIN).to_be_bytes());
    key
}

/// The key of an entry of a due set.
pub(crate) fn due_key(shard: Shard, bucket: UnixMillis, visitor: &VisitorId) -> Vec<u8> {
    let mut key = due_prefix(shard, bucket);
    key.extend(visitor.as_str().as_bytes());
    key
}

/// What all keys of a source log begin with.
pub(crate) fn source_prefix(topic: &str, partition: Partition) -> Vec<u8> {
    let mut key = topic.as_bytes().to_vec();
    key.push(0);
    key.extend(partition.get().to_be_bytes());
    key
}

/// The key of a record in a source log.
pub(crate) fn source_key(topic: &str, partition: Partition, offset: SourceOffset) -> Vec<u8> {
    let mut key = source_prefix(topic, partition);
    key.extend(offset.get().cast_unsigned().to_be_bytes());
    key
}

/// The key of a dead letter.
pub(crate) fn dead_letter_key(partition: Partition, topic: &str, offset: SourceOffset) -> Vec<u8> {
    let mut key = partition.get().to_be_bytes().to_vec();
    key.extend(topic.as_bytes());
    key.push(0);
    key.extend(offset.get().cast_unsigned().to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_went() {
        let full = Message {
            time: UnixMillis::new(-5),
            key: Some(b"v-1".to_vec()),
            headers: vec![("a".into(), vec![0, 1]), (String::new(), vec![])],
            body: b"{}".to_vec(),
        };
        assert_eq!(Message::decode(&full.encode()), Some(full));
        assert_eq!(Message::decode(&Message::default().encode()), Some(Message::default()));
    }

    #[test]
    fn a_cut_message_is_none() {
        let message = Message { key: Some(b"v-1".to_vec()), ..Message::default() };
        let bytes = message.encode();
        for cut in 0..bytes.len() {
            assert_eq!(Message::decode(&bytes[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn keys_lie_in_the_order_of_their_numbers() {
        let shard = Shard::new(3);
        let buckets = [-600_000, 0, 600_000, 1_795_341_600_000];
        let keys: Vec<_> = buckets.map(|ms| due_prefix(shard, UnixMillis::new(ms))).into();
        assert!(keys.is_sorted());
        assert!(numbered(Partition::new(1), 255) < numbered(Partition::new(1), 256));
        assert_eq!(trailing_number(&numbered(Partition::new(1), 256)), Some(256));
    }

    #[test]
    fn a_topic_whose_name_begins_with_anothers_shares_no_keys() {
        let short = source_prefix("visits", Partition::new(0));
        assert!(!source_prefix("visits-2", Partition::new(0)).starts_with(&short));
    }
}
