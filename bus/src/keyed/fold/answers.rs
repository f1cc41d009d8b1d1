//! What commands were answered, for those that are repeated long after.

use std::time::Duration;

use passerelle_journal::Position;
use passerelle_projection::{Fold, FoldError};
use passerelle_proto::bus::v1::Record;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::super::instant::nanoseconds;

/// How many records lie between two times that old answers are given up.
const SWEEP_EVERY: u64 = 1_024;

/// Every answer to a command with an idempotency key, of all kinds, as long as it is kept.
#[derive(Debug, Clone)]
pub struct Answers {
    keep: Duration,
}

impl Answers {
    /// Answers are kept that long: a command that is repeated later may be done a second time.
    pub fn kept_for(keep: Duration) -> Self {
        Self { keep }
    }
}

impl Default for Answers {
    /// Kept for 30 days.
    fn default() -> Self {
        Self::kept_for(Duration::from_secs(30 * 24 * 60 * 60))
    }
}

impl Fold for Answers {
    fn name(&self) -> &'static str {
        "keyed_answers"
    }

    fn version(&self) -> u32 {
        1
    }

    fn schema(&self) -> String {
        "CREATE TABLE keyed_answers (
             kind TEXT NOT NULL, key TEXT NOT NULL, idempotency_key TEXT NOT NULL,
             answer BLOB NOT NULL, position INTEGER NOT NULL, time INTEGER NOT NULL,
             PRIMARY KEY (kind, key, idempotency_key)
         ) WITHOUT ROWID;
         CREATE INDEX keyed_answers_time ON keyed_answers (time);"
            .to_owned()
    }

    fn published(&self) -> bool {
        false
    }

    fn apply(&mut self, transaction: &Transaction<'_>, position: Position, record: &Record) -> Result<(), FoldError> {
        let time = record.time.map_or(0, nanoseconds);
        let Record { kind, key, idempotency_key, answer, .. } = record;
        let at = position.0 as i64;
        // Where older records were given up, the snapshot is the first that tells of them.
        for answered in record.snapshot.iter().flat_map(|snapshot| &snapshot.answered) {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO keyed_answers VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![kind, key, answered.idempotency_key, &*answered.answer, at, time])?;
        }
        if !kind.is_empty() && !idempotency_key.is_empty() {
            // The same key again can only be a command that was repeated after its answer had been given up.
            transaction
                .prepare_cached("INSERT OR REPLACE INTO keyed_answers VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![kind, key, idempotency_key, &**answer, at, time])?;
        }
        if position.0.is_multiple_of(SWEEP_EVERY) {
            let keep = i64::try_from(self.keep.as_nanos()).unwrap_or(i64::MAX);
            transaction.execute("DELETE FROM keyed_answers WHERE time < ?1", params![time.saturating_sub(keep)])?;
        }
        Ok(())
    }
}

/// The answer that was given to a command long ago, and where its record is.
pub(in super::super) fn older_answer(
    connection: &Connection,
    kind: &str,
    key: &str,
    idempotency_key: &str,
) -> rusqlite::Result<Option<(Vec<u8>, Position)>> {
    connection
        .prepare_cached("SELECT answer, position FROM keyed_answers WHERE kind = ?1 AND key = ?2 AND idempotency_key = ?3")?
        .query_row(params![kind, key, idempotency_key], |row| Ok((row.get(0)?, Position(row.get::<_, i64>(1)? as u64))))
        .optional()
}
