//! The timers that are still to fire, of all kinds.

use passerelle_journal::Position;
use passerelle_projection::{Fold, FoldError};
use passerelle_proto::bus::v1::{Record, Timer};
use rusqlite::{Connection, Transaction, params};

use super::super::alarm::Alarm;
use super::super::instant::nanoseconds;

/// Pending timers: there as long as they are neither fired, taken back nor replaced.
#[derive(Debug, Clone, Default)]
pub struct Timers;

impl Fold for Timers {
    fn name(&self) -> &'static str {
        "keyed_timers"
    }

    fn version(&self) -> u32 {
        1
    }

    fn schema(&self) -> String {
        "CREATE TABLE keyed_timers (
             kind TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, due INTEGER NOT NULL, position INTEGER NOT NULL,
             PRIMARY KEY (kind, key, name)
         ) WITHOUT ROWID;
         CREATE INDEX keyed_timers_due ON keyed_timers (kind, due, position, key, name);"
            .to_owned()
    }

    fn published(&self) -> bool {
        false
    }

    fn apply(&mut self, transaction: &Transaction<'_>, position: Position, record: &Record) -> Result<(), FoldError> {
        let Record { kind, key, .. } = record;
        for name in &record.timers_cleared {
            transaction
                .prepare_cached("DELETE FROM keyed_timers WHERE kind = ?1 AND key = ?2 AND name = ?3")?
                .execute(params![kind, key, name])?;
        }
        let snapshot = record.snapshot.as_ref().map(|snapshot| snapshot.timers.as_slice()).unwrap_or_default();
        for Timer { name, due } in record.timers.iter().chain(snapshot) {
            let due = due.ok_or_else(|| FoldError::Record(format!("a timer of {kind} has no time")))?;
            // A snapshot repeats what is there already: its place in the order stays that of the record that set it.
            transaction
                .prepare_cached(
                    "INSERT INTO keyed_timers VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
                     SET due = excluded.due, position = excluded.position WHERE due <> excluded.due",
                )?
                .execute(params![kind, key, name, nanoseconds(due), position.0 as i64])?;
        }
        Ok(())
    }
}

/// Timers from an alarm on (with it), the next ones first.
pub(in super::super) fn pending_timers(
    connection: &Connection,
    kind: &str,
    from: &Alarm,
    limit: usize,
) -> rusqlite::Result<Vec<Alarm>> {
    connection
        .prepare_cached(
            "SELECT due, position, key, name FROM keyed_timers
             WHERE kind = ?1 AND (due, position, key, name) >= (?2, ?3, ?4, ?5)
             ORDER BY due, position, key, name LIMIT ?6",
        )?
        .query_map(params![kind, from.due, from.position as i64, &*from.key, &*from.name, limit as i64], |row| {
            Ok(Alarm {
                due: row.get(0)?,
                position: row.get::<_, i64>(1)? as u64,
                key: row.get::<_, String>(2)?.into(),
                name: row.get::<_, String>(3)?.into(),
            })
        })?
        .collect()
}
