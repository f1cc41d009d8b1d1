//! Why a log cannot be opened, and what is damaged.

use std::fmt;
use std::io;

use crate::Position;

/// A log cannot be opened. No record was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process (or another part of this one) has it.
    #[error("the journal is in use by another process; one at a time may have it")]
    Locked,
    /// What was once durable is not there any more, or not as it was written.
    #[error("the journal is damaged: {0}; `passerelle journal check` shows how far, `passerelle journal repair` cuts there")]
    Damaged(Damage),
    /// Written in a way that this version does not know.
    #[error("the journal was written by a newer version: {0}; start that version or a later one")]
    NewerVersion(String),
    /// The disk does not give or take what is needed.
    #[error("the journal's disk refuses: {0}")]
    Disk(String),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error.to_string())
    }
}

/// A place where the bytes are not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Which file.
    pub file: String,
    /// At which byte of it.
    pub offset: u64,
    /// The first record that cannot be read, where it is about a record.
    pub position: Option<Position>,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at byte {}", self.file, self.offset)?;
        if let Some(position) = self.position {
            write!(formatter, ", record {position}")?;
        }
        write!(formatter, ": {}", self.why)
    }
}
