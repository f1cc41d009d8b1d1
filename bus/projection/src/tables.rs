//! Which tables are in the file, of which version of which fold, up to which record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use passerelle_journal::{Journal, Position};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::file::unusable;
use crate::{Fold, OpenError, Stopped};

const FOLDS: &str = "passerelle_folds";

/// Ours beside those of the folds. Why they stopped is told anew at each start.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS passerelle_folds(
        name TEXT PRIMARY KEY, version INTEGER NOT NULL, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS passerelle_stopped(position INTEGER PRIMARY KEY, why TEXT NOT NULL) STRICT;
    DELETE FROM passerelle_stopped;";

/// A fold, and how far its tables have got.
pub(crate) struct Followed {
    pub(crate) fold: Box<dyn Fold>,
    pub(crate) position: Position,
}

/// Makes the file's tables those of the folds: drops what is of another version, of no fold any more, or before what the journal keeps;
/// makes what is missing.
pub(crate) fn settle(
    path: &Path,
    connection: &mut Connection,
    folds: Vec<Box<dyn Fold>>,
    journal: &dyn Journal,
) -> Result<Vec<Followed>, OpenError> {
    check_names(&folds)?;
    let database = |error: rusqlite::Error| unusable(path, error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(database)?;
    let before = stored(path, &transaction)?;
    let kept = |name: &str, version: u32| folds.iter().any(|fold| fold.name() == name && fold.version() == version);
    let first = journal.first();
    let mut going_on = BTreeMap::new();
    for (name, (version, position)) in &before {
        if kept(name, *version) && meets(path, name, *position, journal)? {
            going_on.insert(name.as_str(), *position);
        } else {
            drop_tables(&transaction, name, &before).map_err(database)?;
        }
    }
    let mut followed = Vec::with_capacity(folds.len());
    for fold in folds {
        let position = match going_on.get(fold.name()) {
            Some(position) => *position,
            None => create(path, &transaction, fold.as_ref(), first)?,
        };
        followed.push(Followed { fold, position });
    }
    transaction.commit().map_err(database)?;
    Ok(followed)
}

/// Writes down how far the folds have got, in the transaction that got them there.
pub(crate) fn advance(transaction: &Transaction<'_>, folds: &[Followed], to: Position) -> rusqlite::Result<()> {
    let mut update = transaction.prepare_cached("UPDATE passerelle_folds SET position = ?2 WHERE name = ?1")?;
    for followed in folds.iter().filter(|followed| followed.position < to) {
        update.execute((followed.fold.name(), to.0 as i64))?;
    }
    Ok(())
}

/// Writes down why the tables do not follow any more, for who looks into the file.
pub(crate) fn stop(connection: &Connection, stopped: &Stopped) -> rusqlite::Result<()> {
    let insert = "INSERT OR REPLACE INTO passerelle_stopped(position, why) VALUES (?1, ?2)";
    connection.execute(insert, (stopped.position.0 as i64, &*stopped.why)).map(drop)
}

fn check_names(folds: &[Box<dyn Fold>]) -> Result<(), OpenError> {
    let mut names = BTreeSet::new();
    for name in folds.iter().map(|fold| fold.name()) {
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let ours = name.starts_with("passerelle") || name.starts_with("sqlite");
        if name.is_empty() || ours || !name.bytes().all(word) || name.starts_with(|first: char| !first.is_ascii_lowercase()) {
            let why = "a name is lower case letters, digits and _, and begins neither with passerelle nor with sqlite";
            return Err(OpenError::Fold { name, why: why.to_owned() });
        }
        if !names.insert(name) {
            return Err(OpenError::Fold { name, why: "there are two of this name".to_owned() });
        }
    }
    Ok(())
}

/// What the file says of itself; an empty file is made ours, a foreign one is left alone.
fn stored(path: &Path, transaction: &Transaction<'_>) -> Result<BTreeMap<String, (u32, Position)>, OpenError> {
    let database = |error: rusqlite::Error| unusable(path, error);
    let tables = tables(transaction).map_err(database)?;
    if !tables.is_empty() && !tables.contains(FOLDS) {
        return Err(unusable(path, "it is a database of something else"));
    }
    transaction.execute_batch(SCHEMA).map_err(database)?;
    let mut select = transaction.prepare("SELECT name, version, position FROM passerelle_folds").map_err(database)?;
    let rows = select.query_map((), |row| Ok((row.get(0)?, (row.get(1)?, Position(row.get::<_, i64>(2)? as u64)))));
    rows.and_then(Iterator::collect).map_err(database)
}

/// A fold's tables go on from where they are, if the journal has what comes next. It has not when the file is an old copy, or was on a
/// disk that lost what it had synced.
fn meets(path: &Path, name: &str, position: Position, journal: &dyn Journal) -> Result<bool, OpenError> {
    let (first, last) = (journal.first(), journal.durable().borrow().position);
    if position > last.max(Position(first.0 - 1)) {
        return Err(OpenError::Ahead { path: path.to_owned(), position, last });
    }
    let meets = position.next() >= first;
    if !meets {
        tracing::warn!(
            view = name,
            position = position.0,
            first_position = first.0,
            "the view is older than what the journal keeps, and is built anew from that: what had ended long before is not in it any more"
        );
    }
    Ok(meets)
}

/// Makes the tables of one fold, which are to follow from the journal's `first` record.
fn create(path: &Path, transaction: &Transaction<'_>, fold: &dyn Fold, first: Position) -> Result<Position, OpenError> {
    let name = fold.name();
    let refused = |why: String| OpenError::Fold { name, why };
    let before = tables(transaction).map_err(|error| unusable(path, error))?;
    transaction.execute_batch(&fold.schema()).map_err(|error| refused(format!("its schema: {error}")))?;
    let after = tables(transaction).map_err(|error| unusable(path, error))?;
    if let Some(foreign) = after.difference(&before).find(|table| !is_named_after(table, name)) {
        return Err(refused(format!("its table {foreign} is not called {name} or {name}_…")));
    }
    let position = Position(first.0 - 1);
    let insert = "INSERT INTO passerelle_folds(name, version, position) VALUES (?1, ?2, ?3)";
    let row = (name, fold.version(), position.0 as i64);
    transaction.execute(insert, row).map_err(|error| unusable(path, error))?;
    Ok(position)
}

/// Drops the tables of one fold, with their indexes, and its row.
fn drop_tables(transaction: &Transaction<'_>, name: &str, folds: &BTreeMap<String, (u32, Position)>) -> rusqlite::Result<()> {
    for table in tables(transaction)?.into_iter().filter(|table| owner(table, folds) == Some(name)) {
        transaction.execute_batch(&format!("DROP TABLE \"{table}\""))?;
    }
    transaction.execute("DELETE FROM passerelle_folds WHERE name = ?1", (name,))?;
    Ok(())
}

/// The fold that a table is of: the one with the longest name that it begins with.
fn owner<'a>(table: &str, folds: &'a BTreeMap<String, (u32, Position)>) -> Option<&'a str> {
    folds.keys().map(String::as_str).filter(|name| is_named_after(table, name)).max_by_key(|name| name.len())
}

fn is_named_after(table: &str, fold: &str) -> bool {
    table.strip_prefix(fold).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

fn tables(connection: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    // `_` stands for any character: names such as sqlite_stat1 are SQLite's own.
    let own = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    connection.prepare(own)?.query_map((), |row| row.get(0))?.collect()
}
