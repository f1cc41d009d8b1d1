//! Tables of callbacks and slots, and the questions that are put to them.

use std::collections::BTreeMap;

use passerelle_bus::keyed::{Column, Columns, Entities, Entity};
use passerelle_projection::rusqlite::types::Value;
use passerelle_projection::rusqlite::{self, Connection, params_from_iter};
use passerelle_proto::bus::v1::CallbackState;
use passerelle_proto::customer::v1::callback::Status;

use super::decide::{CallbackRules, SlotRules, slot_key, slot_of_key};
use super::words;

impl Columns for CallbackRules {
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column { name: "customer", sql: "TEXT NOT NULL", indexed: true },
        Column { name: "line", sql: "TEXT NOT NULL", indexed: true },
        Column { name: "status", sql: "INTEGER NOT NULL", indexed: true },
        // Unix seconds; 0: none.
        Column { name: "promised_at", sql: "INTEGER NOT NULL", indexed: true },
    ];

    fn row(state: &CallbackState) -> Vec<Value> {
        let (customer, line) = state.wish.as_ref().map(|wish| (wish.customer.clone(), wish.line.clone())).unwrap_or_default();
        let promised_at = state.call_at.map_or(0, |at| at.seconds);
        vec![customer.into(), line.into(), i32::from(words::status(state)).into(), promised_at.into()]
    }
}

/// Which callbacks to list; what is empty or unspecified fits all.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) customer: String,
    pub(super) line: String,
    pub(super) status: i32,
    /// After this one: the time promised and the id.
    pub(super) after: Option<(i64, String)>,
    pub(super) limit: usize,
}

/// Callbacks by the time promised, those without one first.
pub(super) fn callbacks(connection: &Connection, wanted: &Wanted) -> rusqlite::Result<Vec<Entity<CallbackState>>> {
    let mut conditions = vec!["status > 0"];
    let mut values: Vec<Value> = Vec::new();
    if !wanted.customer.is_empty() {
        conditions.push("customer = ?");
        values.push(wanted.customer.clone().into());
    }
    if !wanted.line.is_empty() {
        conditions.push("line = ?");
        values.push(wanted.line.clone().into());
    }
    if wanted.status != i32::from(Status::Unspecified) {
        conditions.push("status = ?");
        values.push(wanted.status.into());
    }
    if let Some((promised_at, id)) = &wanted.after {
        conditions.push("(promised_at, key) > (?, ?)");
        values.push((*promised_at).into());
        values.push(id.clone().into());
    }
    values.push(i64::try_from(wanted.limit).unwrap_or(i64::MAX).into());
    let sql = format!("WHERE {} ORDER BY promised_at, key LIMIT ?", conditions.join(" AND "));
    Entities::<CallbackRules>::select(connection, &sql, params_from_iter(values))
}

/// Callbacks that were being called when the record at `position` was written, and have had no record since.
pub(super) fn being_called(connection: &Connection, position: u64, after: &str) -> rusqlite::Result<Vec<Entity<CallbackState>>> {
    let values: [Value; 4] = [
        i32::from(Status::Calling).into(),
        i32::from(Status::Accepted).into(),
        i64::try_from(position).unwrap_or(i64::MAX).into(),
        after.to_owned().into(),
    ];
    let sql = "WHERE status IN (?, ?) AND position <= ? AND key > ? ORDER BY key LIMIT 500";
    Entities::<CallbackRules>::select(connection, sql, params_from_iter(values))
}

/// Places taken in the slots of a line that begin from one moment to another, by their start; a slot without a row has none.
pub(super) fn taken(connection: &Connection, line: &str, from: i64, to: i64) -> rusqlite::Result<BTreeMap<i64, u32>> {
    let keys = [slot_key(line, from), slot_key(line, to)];
    let slots = Entities::<SlotRules>::select(connection, "WHERE key >= ? AND key <= ?", params_from_iter(keys))?;
    let count = |slot: &Entity<_>| {
        let (_, start) = slot_of_key(&slot.key)?;
        let state: &passerelle_proto::bus::v1::CallbackSlotState = &slot.state;
        Some((start, u32::try_from(state.callback_ids.len()).unwrap_or(u32::MAX)))
    };
    Ok(slots.iter().filter_map(count).collect())
}
