//! Reading what is durable, beside the writer.

use tokio::sync::watch;

use crate::{Durability, History, Position, ReadError, Stored};

/// The reading side of a log.
#[derive(Debug, Clone)]
pub struct Reader {
    durable: watch::Receiver<Durability>,
}

impl Reader {
    /// See [`Journal::read`](crate::Journal::read).
    pub fn read(&self, _from: Position, _bytes: usize) -> Result<Vec<Stored>, ReadError> {
        Err(ReadError::Disk("not written yet".into()))
    }

    /// See [`Journal::history`](crate::Journal::history); what is only queued is not seen.
    pub fn history(&self, _key: &str) -> Result<History, ReadError> {
        Err(ReadError::Disk("not written yet".into()))
    }

    /// See [`Journal::first`](crate::Journal::first).
    pub fn first(&self) -> Position {
        Position(1)
    }

    /// See [`Journal::durable`](crate::Journal::durable).
    pub fn durable(&self) -> watch::Receiver<Durability> {
        self.durable.clone()
    }
}
