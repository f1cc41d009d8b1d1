//! The table that finds a hand-off by its code, and the columns by which hand-offs are listed.

use std::time::Duration;

use passerelle_bus::keyed::{Column, Columns, Decider};
use passerelle_journal::Position;
use passerelle_projection::rusqlite::types::Value;
use passerelle_projection::rusqlite::{Connection, OptionalExtension, Transaction, params};
use passerelle_projection::{Fold, FoldError};
use passerelle_proto::bus::v1::handoff_event::What;
use passerelle_proto::bus::v1::handoff_state::Phase;
use passerelle_proto::bus::v1::{HandoffCode, HandoffEvent, HandoffState, Record};
use prost::Message as _;
use prost_types::Timestamp;

use super::{Handoff, view};

/// How long a code that has run out is remembered: so long it is told apart from one that never was, and not given to another matter.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Table `handoff_codes(hash, key, expires)`: every code given out of late, used or not, by its keyed hash.
#[derive(Debug, Default)]
pub(super) struct Codes;

/// What is known of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// It was never given out, or long ago.
    Nothing,
    /// It was given to this hand-off.
    Handoff(String),
    /// It was given to two at the same moment, by chance: it opens neither.
    Ambiguous,
}

impl Codes {
    /// What the code of that hash opens.
    pub(super) fn find(connection: &Connection, hash: &[u8]) -> passerelle_projection::rusqlite::Result<Found> {
        let mut select = connection.prepare_cached("SELECT key FROM handoff_codes WHERE hash = ?1")?;
        let key: Option<Option<String>> = select.query_row([hash], |row| row.get(0)).optional()?;
        Ok(match key {
            None => Found::Nothing,
            Some(None) => Found::Ambiguous,
            Some(Some(key)) => Found::Handoff(key),
        })
    }
}

impl Fold for Codes {
    fn name(&self) -> &'static str {
        "handoff_codes"
    }

    fn version(&self) -> u32 {
        1
    }

    fn schema(&self) -> String {
        "CREATE TABLE handoff_codes (hash BLOB NOT NULL PRIMARY KEY, key TEXT, expires INTEGER NOT NULL) WITHOUT ROWID;
         CREATE INDEX handoff_codes_expires ON handoff_codes (expires);"
            .to_owned()
    }

    fn published(&self) -> bool {
        false
    }

    fn apply(&mut self, transaction: &Transaction<'_>, _position: Position, record: &Record) -> Result<(), FoldError> {
        if record.kind != Handoff::KIND {
            return Ok(());
        }
        let codes = codes_in(record)?;
        if codes.is_empty() {
            return Ok(());
        }
        // Before the new ones are written: one that ran out so long ago may be given out again.
        let now = record.time.map_or(0, |time| time.seconds);
        let forgotten = now.saturating_sub(i64::try_from(REMEMBERED.as_secs()).unwrap_or(i64::MAX));
        transaction.prepare_cached("DELETE FROM handoff_codes WHERE expires < ?1")?.execute([forgotten])?;
        for code in codes {
            let expires = code.expires_at.map_or(0, |at| at.seconds);
            let insert = "INSERT INTO handoff_codes VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO UPDATE
                          SET key = CASE WHEN key = excluded.key THEN key END, expires = max(expires, excluded.expires)";
            transaction.prepare_cached(insert)?.execute(params![code.hash, record.key, expires])?;
        }
        Ok(())
    }
}

/// The codes that a record gives out, or keeps alive as a snapshot.
fn codes_in(record: &Record) -> Result<Vec<HandoffCode>, FoldError> {
    let mut codes = Vec::new();
    for (index, message) in record.events.iter().enumerate() {
        let event = HandoffEvent::decode(&*message.data);
        let event = event.map_err(|error| FoldError::Record(format!("event {index} of a handoff is not understood: {error}")))?;
        codes.extend(match event.what {
            Some(What::Offered(offered)) => offered.code,
            Some(What::CodeIssued(issued)) => issued.code,
            _ => None,
        });
    }
    if let Some(snapshot) = &record.snapshot {
        let state = HandoffState::decode(&*snapshot.state);
        let state = state.map_err(|error| FoldError::Record(format!("the snapshot of a handoff is not understood: {error}")))?;
        codes.extend(match state.phase {
            Some(Phase::Open(open)) => open.code,
            _ => None,
        });
    }
    Ok(codes)
}

impl Columns for Handoff {
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column { name: "customer", sql: "TEXT NOT NULL", indexed: true },
        Column { name: "status", sql: "INTEGER NOT NULL", indexed: true },
        Column { name: "to_channel", sql: "TEXT NOT NULL", indexed: false },
        Column { name: "owner_channel", sql: "TEXT NOT NULL", indexed: false },
        Column { name: "changed", sql: "INTEGER NOT NULL", indexed: true },
    ];

    fn row(state: &HandoffState) -> Vec<Value> {
        let owner_channel = match &state.phase {
            Some(Phase::Owned(owned)) => owned.channel.clone(),
            _ => String::new(),
        };
        vec![
            Value::Text(state.customer.clone()),
            Value::Integer(i32::from(view::status(state)).into()),
            Value::Text(state.to_channel.clone()),
            Value::Text(owner_channel),
            Value::Integer(state.changed_at.map_or(0, microseconds)),
        ]
    }
}

/// A moment as the column `changed` has it.
pub(super) fn microseconds(at: Timestamp) -> i64 {
    at.seconds.saturating_mul(1_000_000).saturating_add(i64::from(at.nanos / 1_000))
}
