//! Changes as the file keeps them, and the cursor through them.

use passerelle_adapter::{Fault, Rejection};
use passerelle_proto::backoffice::customers::v1::Change;
use prost::Message;
use rusqlite::{Connection, OptionalExtension, params};

use super::failed;
use super::tables::unreadable;
use crate::wire::invalid;

/// Changes that are kept; whoever is further behind lists anew.
const KEPT: i64 = 1_000_000;

/// Adds one, within the transaction of what it tells.
pub(super) fn add(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO changes (change) VALUES (?1)", [change.encode_to_vec()])?;
    let last = connection.last_insert_rowid();
    connection.execute("DELETE FROM changes WHERE sequence <= ?1", [last - KEPT])?;
    Ok(())
}

/// The changes after the cursor, and the cursor after them.
pub(super) fn after(connection: &Connection, cursor: Option<&str>, size: usize) -> Result<(Vec<Change>, String), Fault> {
    let strange = || invalid("cursor is none that this CRM gave");
    let after: i64 = cursor.map_or(Ok(0), |cursor| cursor.parse().ok().filter(|after| *after >= 0).ok_or_else(strange))?;
    let first = connection.query_row("SELECT min(sequence) FROM changes", [], |row| row.get::<_, Option<i64>>(0));
    let first = first.optional().map_err(|error| failed("the changes cannot be read", &error))?.flatten();
    if cursor.is_some() && first.is_some_and(|first| after < first - 1) {
        return Err(Fault::rejected(Rejection::Precondition, "the cursor is too old: find the customers anew"));
    }
    let rows = || {
        let mut query =
            connection.prepare_cached("SELECT sequence, change FROM changes WHERE sequence > ?1 ORDER BY sequence LIMIT ?2")?;
        let rows = query.query_map(params![after, size as i64], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let rows = rows().map_err(|error| failed("the changes cannot be read", &error))?;
    let last = rows.last().map_or(after, |(sequence, _)| *sequence);
    let changes = rows.into_iter().map(|(_, bytes)| Change::decode(bytes.as_slice()).map_err(|_| unreadable()));
    Ok((changes.collect::<Result<_, _>>()?, last.to_string()))
}
