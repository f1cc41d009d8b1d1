//! The embedded engine: a segmented log, one writer, one sync for all that waits.
//!
//! # Files
//!
//! | name | |
//! | --- | --- |
//! | `journal.meta` | identity, how often it was opened (the epoch), first position; two slots written in turn |
//! | `<position>.log` | a segment: a head of 4 KiB, then records and marks; zeroed and synced before its first use |
//! | `<position>.index` | sidecar of a sealed segment: keys, fingerprints, places; made again when it is missing |
//! | `free-<n>.log` | a spare segment |
//! | `damaged-…` | what a repair cut out |
//! | `lock` | held by the one process that has it |
//!
//! # What a record proves
//!
//! Its checksum is right; its position is the next one; its epoch is not smaller than that of the record before. So what a recycled
//! segment held before (smaller positions) and what was left behind a cut (smaller epochs) is never taken for a record. It also says
//! with which record its batch began: all before that one were durable when it was written. So at a start the first invalid record is
//! a torn write, which is cut, unless something later shows that it had been durable: then it is damage, and the log does not open.
//!
//! What shows it is a later batch, or a mark: written when the writer has been idle for 20 ms, at the end, and at every start. A bit
//! that flips in the very last batch in those 20 ms before a crash looks like a torn write; nothing on one disk can tell.
//!
//! # Threads
//!
//! The writer takes what waits, encodes it into one buffer, writes and syncs it once, then shows and answers it. The preparer makes
//! the next segment, writes sidecars and clears away what was trimmed. Readers use neither, and hold no lock but to look up a segment.

mod check;
mod dedupe;
mod error;
mod fresh;
mod kept;
mod keys;
mod label;
mod listing;
mod lives;
mod meta;
mod names;
mod queue;
mod read;
mod record;
mod recover;
mod repair;
mod segment;
mod settings;
mod sidecar;
mod stats;
mod store;
mod survey;
mod tail;
mod threads;
mod walk;
mod writer;
mod yard;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::{oneshot, watch};

use crate::storage::Folder;
use crate::{AppendError, Durability, Entry, History, Journal, KeysPage, Position, ReadError, Receipt, Stored};

use queue::{Queue, Request};
use writer::measure;

pub use check::{Report, SegmentReport, check, dump};
pub use error::{Damage, OpenError};
pub use kept::Kept;
pub use read::Reader;
pub use repair::{Repair, repair};
pub use settings::LogSettings;
pub use stats::Stats;
#[doc(hidden)]
pub use writer::{Append, Core};

/// A journal in a folder of this machine: one thread writes, one prepares what it needs next.
///
/// Dropping it waits until what is queued is written.
pub struct Log {
    reader: Reader,
    queue: Arc<Queue>,
    settings: LogSettings,
    ended: watch::Receiver<bool>,
    writer: Option<JoinHandle<()>>,
}

impl Log {
    /// Opens the journal in the folder, or begins one in an empty folder, and starts its two threads.
    pub fn open(folder: Arc<dyn Folder>, settings: LogSettings) -> Result<Self, OpenError> {
        let settings = settings.limited();
        let core = Core::open(folder, settings.clone())?;
        let queue = Arc::new(Queue::new(settings.queue_bytes));
        let reader = core.reader();
        let (writer, ended) = threads::start(core, queue.clone())?;
        Ok(Self { reader, queue, settings, ended, writer: Some(writer) })
    }

    /// What it has done since it was opened.
    pub fn stats(&self) -> Stats {
        self.reader.stats()
    }

    /// Random bytes that this journal was given when it began, and keeps.
    pub fn identity(&self) -> [u8; 16] {
        self.reader.identity()
    }

    /// Goes on in a new segment, so that what was written can be given up without what comes; returns where it begins. One that holds
    /// nothing yet is new.
    pub async fn begin_segment(&self) -> Result<Position, AppendError> {
        self.ask(Request::Begin).await
    }

    async fn ask(&self, request: Request) -> Result<Position, AppendError> {
        let (answered, answer) = oneshot::channel();
        self.queue.ask(request, answered);
        answer.await.unwrap_or(Err(AppendError::Closed))
    }

    /// Takes no more, and returns when what is queued is written and the folder let go. Reading goes on.
    pub async fn close(&self) {
        self.queue.close();
        // An error: the writer has ended, too.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Log").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // One that panicked has told so.
            let _ = writer.join();
        }
    }
}

#[async_trait]
impl Journal for Log {
    async fn append(&self, entries: Vec<Entry>) -> Result<Receipt, AppendError> {
        let bytes = measure(&entries, &self.settings)?;
        self.queue.append(entries, bytes).await
    }

    fn read(&self, from: Position, bytes: usize) -> Result<Vec<Stored>, ReadError> {
        self.reader.read(from, bytes)
    }

    fn durable(&self) -> watch::Receiver<Durability> {
        self.reader.durable()
    }

    fn decided(&self) -> watch::Receiver<Durability> {
        self.reader.decided()
    }

    fn first(&self) -> Position {
        self.reader.first()
    }

    fn history(&self, key: &str) -> Result<History, ReadError> {
        self.queue.settle();
        self.reader.history(key)
    }

    fn keys(&self, from: Position, before: Position) -> Result<KeysPage, ReadError> {
        self.reader.keys(from, before)
    }

    async fn trim(&self, position: Position) -> Result<Position, AppendError> {
        self.ask(Request::Trim(position)).await
    }
}
