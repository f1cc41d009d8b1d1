//! What can go wrong: at the start, at a read, and for good.

use std::path::PathBuf;
use std::sync::Arc;

use passerelle_journal::Position;

/// The projection cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Older SQLite loses data.
    #[error("SQLite {found} is linked, at least 3.51.3 is needed: older ones can lose what is in the write-ahead log")]
    OldSqlite {
        /// The version found.
        found: &'static str,
    },
    /// Another process has it.
    #[error("{0} is in use by another process; stop that one first")]
    InUse(PathBuf),
    /// The tables know records that the journal has not.
    #[error(
        "the views in {path} are at record {position}, the journal ends at {last}: they are of another journal, or it lost records; \
         if the journal is the right one, build them anew: `passerelle view rebuild`"
    )]
    Ahead {
        /// The file.
        path: PathBuf,
        /// How far the tables had got.
        position: Position,
        /// The journal's last record.
        last: Position,
    },
    /// A fold breaks the rules of [`Fold`](crate::Fold).
    #[error("view {name}: {why}")]
    Fold {
        /// Which one.
        name: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The file cannot be used.
    #[error("the views in {path} cannot be used: {why}; they can be built anew from the journal: `passerelle view rebuild`")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// A read has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The tables did not get there in time.
    #[error("the views are at record {position}, {asked} was waited for; they follow by themselves, try again later")]
    Behind {
        /// What was asked for.
        asked: Position,
        /// How far they are.
        position: Position,
    },
    /// The tables do not get there any more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The query ran for too long and was interrupted.
    #[error("the read took longer than {limit_ms} ms and was given up; ask for less at once")]
    TooLong {
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// The database refuses.
    #[error("the views cannot be read: {0}")]
    Database(Arc<str>),
}

/// The projection does not follow the journal any more, until the cause is removed and the process started again. Nothing was skipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the views stopped before record {position}: {why}")]
pub struct Stopped {
    /// The first record that is not in the tables, or not in all of them.
    pub position: Position,
    /// Why. Without values of the record.
    pub why: Arc<str>,
}
