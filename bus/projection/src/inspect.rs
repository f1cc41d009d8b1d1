//! A look into the file from outside, while it is written or after.

use std::path::Path;
use std::sync::Arc;

use passerelle_journal::Position;
use rusqlite::{Connection, OptionalExtension};

use crate::file::{self, unusable};
use crate::{OpenError, Stopped};

/// What the file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// Every view, by name.
    pub views: Vec<View>,
    /// Why they do not follow any more, if they stopped when they were last written.
    pub stopped: Option<Stopped>,
}

/// The tables of one fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Name of the fold.
    pub name: String,
    /// Version of its tables and rules.
    pub version: u32,
    /// The last record that they show.
    pub position: Position,
}

/// Reads what the file says of itself. `None`: there is no file.
pub(crate) fn inspect(path: &Path) -> Result<Option<Inspected>, OpenError> {
    if !path.exists() {
        return Ok(None);
    }
    let found =
        file::reader(path).and_then(|connection| Ok(Inspected { views: views(&connection)?, stopped: stopped(&connection)? }));
    found.map(Some).map_err(|error| unusable(path, error))
}

fn views(connection: &Connection) -> rusqlite::Result<Vec<View>> {
    let mut select = connection.prepare("SELECT name, version, position FROM passerelle_folds ORDER BY name")?;
    let view = |row: &rusqlite::Row<'_>| Ok(View { name: row.get(0)?, version: row.get(1)?, position: position(row, 2)? });
    select.query_map((), view)?.collect()
}

fn stopped(connection: &Connection) -> rusqlite::Result<Option<Stopped>> {
    let mut select = connection.prepare("SELECT position, why FROM passerelle_stopped")?;
    let stopped = |row: &rusqlite::Row<'_>| Ok(Stopped { position: position(row, 0)?, why: Arc::from(row.get::<_, String>(1)?) });
    select.query_row((), stopped).optional()
}

fn position(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Position> {
    Ok(Position(row.get::<_, i64>(column)? as u64))
}
