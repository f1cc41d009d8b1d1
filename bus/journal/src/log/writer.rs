//! The engine without threads: opens a folder, writes batches, seals and trims.

use std::sync::Arc;

use crate::storage::Folder;
use crate::{Answer, AppendError, Entry, Position};

use super::read::Reader;
use super::{LogSettings, OpenError};

/// Entries and whom to answer.
#[derive(Debug)]
pub struct Append {
    /// What to write. All of it together must fit in the smallest segment.
    pub entries: Vec<Entry>,
    /// Told when all of it is durable, or refused.
    pub answer: Answer,
}

/// The log without its threads, so that faults can be tried on the very same code, step by step.
pub struct Core {
    reader: Reader,
}

impl Core {
    /// Opens what is in the folder, or begins a new journal in an empty one.
    pub fn open(_folder: Arc<dyn Folder>, _settings: LogSettings) -> Result<Self, OpenError> {
        Err(OpenError::Disk("not written yet".into()))
    }

    /// Writes all of it in as few batches as it takes (each one write and one sync) and answers.
    pub fn write(&mut self, _appends: Vec<Append>) {}

    /// Writes a mark when the last thing written was a batch: from then on damage in that batch is told from a torn tail.
    pub fn mark(&mut self) {}

    /// Does what the preparer would do beside the writer: next segment, sidecar indexes of sealed ones, removing trimmed ones.
    /// Without it `write` does what it cannot go on without.
    pub fn prepare(&mut self) {}

    /// Gives up whole segments before `position`; see [`Journal::trim`](crate::Journal::trim).
    pub fn trim(&mut self, _position: Position) -> Result<Position, AppendError> {
        Err(AppendError::Closed)
    }

    /// Reads what is durable; shared, and good for longer than the engine.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Marks the end and lets go of the folder.
    pub fn close(mut self) {
        self.mark();
    }
}
