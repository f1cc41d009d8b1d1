//! Writing the write-ahead log back into the tables, so that it does not grow without bound.

use rusqlite::Connection;

use crate::Settings;

/// When the log is written back, and how long it may get.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    page_bytes: u64,
    checkpoint_bytes: u64,
    log_bytes: u64,
    /// Length of the log at which the next attempt is made.
    next: u64,
}

/// What a checkpoint came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    /// There is room for another transaction.
    Short,
    /// Readers hold it, and it is as long as it may get.
    Full,
}

impl Checkpoints {
    pub(crate) fn new(connection: &Connection, settings: &Settings) -> rusqlite::Result<Self> {
        let page_bytes = connection.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))? as u64;
        let Settings { checkpoint_bytes, log_bytes, .. } = *settings;
        Ok(Self { page_bytes, checkpoint_bytes, log_bytes, next: checkpoint_bytes })
    }

    /// To be called between transactions. Waits shortly for readers when there is something to write back.
    pub(crate) fn keep_short(&mut self, connection: &Connection) -> rusqlite::Result<Log> {
        let (length, _) = self.checkpoint(connection, "NOOP")?;
        if length < self.next.min(self.log_bytes) {
            return Ok(Log::Short);
        }
        // Unlike PASSIVE it waits for readers of old pages, and so comes to an end even if there is always somebody who reads.
        let (length, done) = self.checkpoint(connection, "RESTART")?;
        // Once all is written back, the next transaction begins at the log's start.
        self.next = if done { self.checkpoint_bytes } else { length + self.checkpoint_bytes };
        Ok(if !done && length >= self.log_bytes { Log::Full } else { Log::Short })
    }

    /// Length of the log in bytes, and whether it is free to begin anew.
    fn checkpoint(&self, connection: &Connection, mode: &str) -> rusqlite::Result<(u64, bool)> {
        connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), (), |row| {
            let (busy, frames): (i64, i64) = (row.get(0)?, row.get(1)?);
            // A frame is a page and 24 bytes of header.
            Ok((frames.max(0) as u64 * (self.page_bytes + 24), busy == 0))
        })
    }
}
