//! What becomes of a command.

use std::time::SystemTime;

use passerelle_journal::{AppendError, Position, ReadError};

use super::Decider;

/// A command was taken, and is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<Answer> {
    /// What it is answered.
    pub answer: Answer,
    /// Where what was decided is visible: in a projection that has got so far. That of the command's record; where nothing was
    /// written, that of the key's last one; for a repetition of a command that lies before the key's last snapshot, that of the snapshot.
    pub position: Position,
    /// The idempotency key was used before: this is the first answer again.
    pub repeated: bool,
}

/// A command changed nothing, or (only for [`AppendError::Failed`]) nobody knows until the next start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure<Refusal> {
    /// The decider says no. A repetition is decided anew.
    #[error(transparent)]
    Refused(Refusal),
    /// Too many commands wait already; the same may be tried again soon.
    #[error("too many commands wait, try again")]
    Busy,
    /// The bus is being stopped.
    #[error("commands are no longer taken, the bus is being stopped")]
    Closed,
    /// It could not be written.
    #[error(transparent)]
    Journal(AppendError),
    /// Something else has written to the key; the same may be tried again at once.
    #[error("record {last} of the key was written by another writer, try again")]
    Conflict {
        /// Sequence of the key's last record.
        last: u64,
    },
    /// The key's records cannot be read.
    #[error("the state cannot be loaded: {0}")]
    Unreadable(ReadError),
    /// The key's records are not what the decider understands.
    #[error("record {position} is not understood: {why}")]
    Damaged {
        /// Which record.
        position: Position,
        /// What is wrong with it.
        why: String,
    },
    /// Whether the idempotency key was used long ago cannot be known now: the projection is behind, or stopped.
    #[error("older answers cannot be looked up: {0}")]
    Behind(String),
}

/// A record has become durable: the moment to start an effect.
pub struct Observed<'a, D: Decider> {
    /// The key of the thing, without its kind.
    pub key: &'a str,
    /// What happened, as one record says it. May be empty.
    pub events: &'a [D::Event],
    /// What the thing is after it (and before what is decided but not durable yet).
    pub state: &'a D::State,
    /// Where the record is.
    pub position: Position,
    /// When it was decided.
    pub now: SystemTime,
}
