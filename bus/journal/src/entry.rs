//! What is written and what is read: an entry, its position.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::AppendError;

/// Place of a record in the journal: the first is 1, the next one more. 0 is before everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// The one after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What makes an entry the same as another: a hash of its identity, 128 bits of a keyed hash so that nobody can make two collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub u128);

/// The step that a record is in the life of one key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyStep {
    /// The key, with its kind: `callback/7f3a`. At most [`KeyStep::LONGEST_KEY`] bytes.
    pub key: Arc<str>,
    /// Number of this record among those of the key, counted from 1. It is written only when the one before is the key's last.
    pub sequence: u64,
    /// The record holds the whole state: older ones of the key are not needed to know it.
    pub snapshot: bool,
}

impl KeyStep {
    /// Longest key, in bytes.
    pub const LONGEST_KEY: usize = 512;
}

/// One record to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The record, not looked at. At most [`Entry::LARGEST`] bytes.
    pub data: Bytes,
    /// For a record of a single-writer key.
    pub step: Option<KeyStep>,
    /// For a record that must not be written twice.
    pub fingerprint: Option<Fingerprint>,
}

impl Entry {
    /// Most bytes in one record: 2 MiB.
    pub const LARGEST: usize = 2 << 20;

    /// Whether the entry keeps its limits.
    pub fn check(&self) -> Result<(), AppendError> {
        if self.data.len() > Self::LARGEST {
            return Err(AppendError::TooLarge(format!(
                "a record of {} bytes, at most {} are taken",
                self.data.len(),
                Self::LARGEST
            )));
        }
        let key = self.step.as_ref().map_or(0, |step| step.key.len());
        if key > KeyStep::LONGEST_KEY {
            return Err(AppendError::TooLarge(format!("a key of {key} bytes, at most {} are taken", KeyStep::LONGEST_KEY)));
        }
        Ok(())
    }
}

/// One record read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it is.
    pub position: Position,
    /// What was written.
    pub entry: Entry,
}
