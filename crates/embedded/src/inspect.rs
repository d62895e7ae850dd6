//! Looking into a folder: changes, dead letters and names, for the command line and for comparisons.

use crate::layout::{Message, change_key, trailing_number};
use crate::{Folder, FolderError};
use fjall::Readable;
use tzeva_model::{ChangeNumber, Partition, SourceOffset, UnixMillis};

/// A published message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// When it was published.
    pub published: UnixMillis,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The value.
    pub value: Vec<u8>,
}

/// A dead letter and where its original lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDeadLetter {
    /// The source topic.
    pub topic: String,
    /// The partition.
    pub partition: Partition,
    /// The original's offset.
    pub offset: SourceOffset,
    /// The original with the `dlq.*` headers behind its own.
    pub message: StoredMessage,
}

// === impl StoredMessage ===

impl StoredMessage {
    fn decode(stored: &[u8], what: &str) -> Result<Self, FolderError> {
        let Some(Message { time, key, headers, body }) = Message::decode(stored) else {
            return Err(FolderError::Damaged(what.into()));
        };
        Ok(Self { published: time, key, headers, value: body })
    }
}

// === impl Folder ===

impl Folder {
    /// The changes of a partition from `from` on, in order of n, as they are now.
    pub fn read_changes(
        &self,
        partition: Partition,
        from: ChangeNumber,
    ) -> impl Iterator<Item = Result<(ChangeNumber, StoredMessage), FolderError>> + use<> {
        let inner = &*self.0;
        let keys = change_key(partition, from)..=change_key(partition, ChangeNumber::new(u64::MAX));
        let attempt = self.attempt("read changes");
        inner.db.snapshot().range(&inner.changes, keys).map(move |guard| {
            let failed = FolderError::database(attempt.clone());
            let (key, stored) = guard.into_inner().map_err(failed)?;
            let n = trailing_number(&key).unwrap_or_default();
            Ok((ChangeNumber::new(n), StoredMessage::decode(&stored, "a change")?))
        })
    }

    /// All dead letters, by partition, topic, offset.
    pub fn dead_letters(
        &self,
    ) -> impl Iterator<Item = Result<StoredDeadLetter, FolderError>> + use<> {
        let inner = &*self.0;
        let attempt = self.attempt("read dead letters");
        inner.db.snapshot().iter(&inner.dead_letters).map(move |guard| {
            let failed = FolderError::database(attempt.clone());
            let (key, stored) = guard.into_inner().map_err(failed)?;
            let message = StoredMessage::decode(&stored, "a dead letter")?;
            letter(&key, message).ok_or_else(|| FolderError::Damaged("a dead letter's key".into()))
        })
    }

    /// All names: key `<kind>/<16 hex digits>`, text.
    pub fn names(&self) -> impl Iterator<Item = Result<(String, String), FolderError>> + use<> {
        let inner = &*self.0;
        let attempt = self.attempt("read names");
        inner.db.snapshot().iter(&inner.names).map(move |guard| {
            let failed = FolderError::database(attempt.clone());
            let (key, text) = guard.into_inner().map_err(failed)?;
            let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            Ok((text_of(&key), text_of(&text)))
        })
    }

    /// The text behind the key of a name.
    ///
    /// # Errors
    /// If the database fails.
    pub fn name(&self, key: &str) -> Result<Option<String>, FolderError> {
        let failed = FolderError::database(self.attempt("read a name"));
        let text = self.0.names.get(key).map_err(failed)?;
        Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
    }
}

fn letter(key: &[u8], message: StoredMessage) -> Option<StoredDeadLetter> {
    let (partition, rest) = key.split_first_chunk::<2>()?;
    let (name, offset) = rest.split_last_chunk::<8>()?;
    let topic = std::str::from_utf8(name.strip_suffix(&[0])?).ok()?;
    Some(StoredDeadLetter {
        topic: topic.into(),
        partition: Partition::new(u16::from_be_bytes(*partition)),
        offset: SourceOffset::new(u64::from_be_bytes(*offset).cast_signed()),
        message,
    })
}
