//! The port: what a journal does, whatever keeps it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{oneshot, watch};

use crate::{Durability, Entry, Position, Stored};

/// An append-only sequence of records, each at a [`Position`], kept by one process at a time.
///
/// Entries are written in the order in which `append` was called (the order in which the calls returned their receipts, for one
/// caller); a record is shown to readers only when it is durable.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Queues entries. Waits for room in the queue (its bound is in bytes), not for the disk: that is what the [`Receipt`] is for.
    ///
    /// Each entry stands for itself: one refused by its sequence or answered as a repetition does not hold up the others. An engine
    /// has a bound on what it takes in one call, too ([`AppendError::TooLarge`]); a single entry is always below it.
    async fn append(&self, entries: Vec<Entry>) -> Result<Receipt, AppendError>;

    /// Records from `from` on, at least one if there is one, until `bytes` of data are together. Empty at the end.
    ///
    /// Blocks on the disk where the pages are not in memory. [`ReadError::Trimmed`] when `from` is older than what is kept.
    fn read(&self, from: Position, bytes: usize) -> Result<Vec<Stored>, ReadError>;

    /// How far the journal is durable; ever growing. `watch` wakes whoever follows.
    fn durable(&self) -> watch::Receiver<Durability>;

    /// The same, for who need not be woken by what was only published: changes when a record with a key is durable, and when writing fails.
    fn decided(&self) -> watch::Receiver<Durability>;

    /// The oldest record kept (1 as long as nothing was trimmed), whether or not it is written yet.
    fn first(&self) -> Position;

    /// The life of one key: its records from the last snapshot on, oldest first, with those durable or queued before this call.
    ///
    /// Blocks like [`read`](Self::read).
    fn history(&self, key: &str) -> Result<History, ReadError>;

    /// The keys that have durable records from `from` on and before `before`: those of as many records as the engine looks at in one call,
    /// and where to go on.
    ///
    /// Blocks like [`read`](Self::read), and refuses like it. What is asked for again and again from `next` on ends at `before`.
    fn keys(&self, from: Position, before: Position) -> Result<KeysPage, ReadError>;

    /// Gives up records before `position`, in whole segments: what is kept begins at the returned position, at most `position`.
    ///
    /// The caller has seen to it that nobody needs them: every key that lives has a snapshot at or after `position`.
    async fn trim(&self, position: Position) -> Result<Position, AppendError>;
}

/// The records of one key that are needed to know its state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// From the last snapshot on, oldest first. Empty for a key never written.
    pub records: Vec<Stored>,
    /// Sequence of the last record; 0 for a key never written.
    pub sequence: u64,
}

/// Keys in a part of the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeysPage {
    /// Each once. May be none.
    pub keys: Vec<Arc<str>>,
    /// Where the next page begins; there is none when that is not before the position asked for.
    pub next: Position,
}

/// What became of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is durable, here.
    Written(Position),
    /// An entry with this fingerprint is durable already, here; nothing was written.
    Repeated(Position),
    /// The key's last sequence is not the one before this entry's: somebody else has written, or an entry before was refused.
    OutOfSequence {
        /// The key's last sequence.
        last: u64,
    },
}

/// The promise of an answer, one [`Outcome`] for each entry, when all of them are durable.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Result<Vec<Outcome>, AppendError>>);

/// The engine's end of a [`Receipt`].
pub type Answer = oneshot::Sender<Result<Vec<Outcome>, AppendError>>;

impl Receipt {
    /// A receipt, and the end by which the engine answers it.
    pub fn open() -> (Answer, Self) {
        let (answer, receipt) = oneshot::channel();
        (answer, Self(receipt))
    }

    /// Waits until every entry is durable, or refused. An error means that none of them will ever be read, except for
    /// [`AppendError::Failed`]: then only the next start can tell.
    pub async fn durable(self) -> Result<Vec<Outcome>, AppendError> {
        self.0.await.unwrap_or(Err(AppendError::Closed))
    }

    /// The same for a thread that may block; must not be called from asynchronous code.
    pub fn wait(self) -> Result<Vec<Outcome>, AppendError> {
        self.0.blocking_recv().unwrap_or(Err(AppendError::Closed))
    }
}

/// Nothing is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// A limit of [`Entry`] is passed.
    #[error("{0}")]
    TooLarge(String),
    /// No room on the disk. Clears by itself when there is.
    #[error("no room for the journal: {0}; free some, or give the journal a larger disk")]
    Full(String),
    /// The disk failed; what was queued may or may not be there after the next start.
    #[error("the journal cannot be written any more: {0}; restart when the disk is well")]
    Failed(Arc<str>),
    /// The journal is being closed.
    #[error("the journal is closed")]
    Closed,
}

/// Records cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Older than what is kept.
    #[error("position {asked} is no longer kept, the oldest is {first}")]
    Trimmed {
        /// What was asked for.
        asked: Position,
        /// The oldest record kept.
        first: Position,
    },
    /// The bytes on disk are not what was written.
    #[error("record {position} is damaged: {why}; `passerelle journal check` shows how far")]
    Damaged {
        /// Which record.
        position: Position,
        /// In which file, at which offset, what is wrong.
        why: String,
    },
    /// The disk does not give them.
    #[error("the journal cannot be read: {0}")]
    Disk(String),
}
