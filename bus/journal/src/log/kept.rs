//! What is kept, segment by segment: by this it is decided what to give up.

use tokio::sync::watch;

use crate::Position;

use super::{Log, Reader};

/// One segment that holds records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Position of its first record.
    pub first: Position,
    /// Bytes of its file, of which the last segment has filled only a part.
    pub bytes: u64,
}

impl Reader {
    /// The segments, oldest first. The last one is being written, and is never given up.
    pub fn kept(&self) -> Vec<Kept> {
        let table = self.store.table();
        table.segments.iter().map(|segment| Kept { first: Position(segment.base), bytes: segment.capacity }).collect()
    }
}

impl Log {
    /// The segments, oldest first. The last one is being written, and is never given up. Their first positions are where
    /// [`trim`](crate::Journal::trim) can cut.
    pub fn kept(&self) -> Vec<Kept> {
        self.reader.kept()
    }

    /// Where the newest segment begins; `watch` wakes whoever wants to know when another one is begun.
    pub fn newest(&self) -> watch::Receiver<Position> {
        self.reader.store.newest.subscribe()
    }
}
