//! The things of one kind as a table: lists and searches over their states.

use std::sync::Arc;

use passerelle_journal::Position;
use passerelle_projection::{Fold, FoldError};
use passerelle_proto::bus::v1::Record;
use prost::Message;
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, OptionalExtension, Params, Row, Transaction, params_from_iter};

use super::super::Decider;

/// A column beside the state, to search and sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in SQL. Not `key`, `sequence`, `position` or `state`.
    pub name: &'static str,
    /// Its type in SQL, with constraints: `TEXT NOT NULL`.
    pub sql: &'static str,
    /// Whether it has an index of its own.
    pub indexed: bool,
}

/// Which columns the table of a decider has beside the state.
pub trait Columns: Decider {
    /// Version of columns, values and of `evolve`: another one builds the table anew.
    const VERSION: u32;
    /// The columns.
    const COLUMNS: &'static [Column];

    /// The values for a state, one for each column, in their order.
    fn row(state: &Self::State) -> Vec<Value>;
}

/// Table `<kind>(key, sequence, position, state, …columns)`: the last state of each thing.
pub struct Entities<D: Decider> {
    decider: Arc<D>,
    version: u32,
    columns: &'static [Column],
    row: fn(&D::State) -> Vec<Value>,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity<S> {
    /// The key of the thing.
    pub key: String,
    /// Sequence of its last record.
    pub sequence: u64,
    /// Position of that record.
    pub position: Position,
    /// What the thing is.
    pub state: S,
}

impl<D: Decider> Entities<D> {
    /// A table without further columns; the version is that of the decider's `evolve`.
    pub fn new(decider: impl Into<Arc<D>>, version: u32) -> Self {
        Self { decider: decider.into(), version, columns: &[], row: |_| Vec::new() }
    }

    /// The one with that key.
    pub fn find(connection: &Connection, key: &str) -> rusqlite::Result<Option<Entity<D::State>>> {
        let sql = format!("SELECT key, sequence, position, state FROM {} WHERE key = ?1", D::KIND);
        connection.prepare_cached(&sql)?.query_row([key], entity).optional()
    }

    /// Those that a condition chooses: `WHERE promised_at < ?1 ORDER BY promised_at LIMIT 100`. Give it a limit.
    pub fn select(connection: &Connection, condition: &str, values: impl Params) -> rusqlite::Result<Vec<Entity<D::State>>> {
        let sql = format!("SELECT key, sequence, position, state FROM {} {condition}", D::KIND);
        connection.prepare_cached(&sql)?.query_map(values, entity)?.collect()
    }

    /// The state after the record. `None`: the records before it are given up; a snapshot that follows says what they made.
    fn state(&self, transaction: &Transaction<'_>, record: &Record) -> Result<Option<D::State>, FoldError> {
        if let Some(snapshot) = &record.snapshot {
            let state = D::State::decode(&*snapshot.state);
            return state.map(Some).map_err(|error| not_understood::<D>("the snapshot", &error));
        }
        // A first record after others: the thing had ended and was let go, this is another one under its key.
        let mut state = match record.sequence {
            1 => D::State::default(),
            sequence => match Self::find(transaction, &record.key)? {
                Some(before) if before.sequence + 1 == sequence => before.state,
                _ => return Ok(None),
            },
        };
        for (index, message) in record.events.iter().enumerate() {
            let event =
                D::Event::decode(&*message.data).map_err(|error| not_understood::<D>(&format!("event {index}"), &error))?;
            self.decider.evolve(&mut state, &event);
        }
        Ok(Some(state))
    }
}

impl<D: Columns> Entities<D> {
    /// A table with the decider's columns.
    pub fn with_columns(decider: impl Into<Arc<D>>) -> Self {
        Self { decider: decider.into(), version: D::VERSION, columns: D::COLUMNS, row: D::row }
    }
}

impl<D: Decider> Fold for Entities<D> {
    fn name(&self) -> &'static str {
        D::KIND
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn schema(&self) -> String {
        let table = D::KIND;
        let mut columns = String::new();
        let mut indexes = String::new();
        for Column { name, sql, indexed } in self.columns {
            columns.push_str(&format!(", {name} {sql}"));
            if *indexed {
                indexes.push_str(&format!(" CREATE INDEX {table}_{name} ON {table} ({name});"));
            }
        }
        format!(
            "CREATE TABLE {table} (key TEXT NOT NULL PRIMARY KEY, sequence INTEGER NOT NULL, position INTEGER NOT NULL, \
             state BLOB NOT NULL{columns});{indexes}"
        )
    }

    fn published(&self) -> bool {
        false
    }

    fn apply(&mut self, transaction: &Transaction<'_>, position: Position, record: &Record) -> Result<(), FoldError> {
        if record.kind != D::KIND {
            return Ok(());
        }
        let Some(state) = self.state(transaction, record)? else { return Ok(()) };
        let fixed = [
            Value::Text(record.key.clone()),
            Value::Integer(record.sequence as i64),
            Value::Integer(position.0 as i64),
            Value::Blob(state.encode_to_vec()),
        ];
        let places = vec!["?"; fixed.len() + self.columns.len()].join(", ");
        transaction
            .prepare_cached(&format!("INSERT OR REPLACE INTO {} VALUES ({places})", D::KIND))?
            .execute(params_from_iter(fixed.into_iter().chain((self.row)(&state))))?;
        Ok(())
    }
}

fn entity<S: Message + Default>(row: &Row<'_>) -> rusqlite::Result<Entity<S>> {
    let state = row.get_ref(3)?.as_blob()?;
    let state = S::decode(state).map_err(|error| rusqlite::Error::FromSqlConversionFailure(3, Type::Blob, Box::new(error)))?;
    Ok(Entity {
        key: row.get(0)?,
        sequence: row.get::<_, i64>(1)? as u64,
        position: Position(row.get::<_, i64>(2)? as u64),
        state,
    })
}

fn not_understood<D: Decider>(what: &str, error: &prost::DecodeError) -> FoldError {
    FoldError::Record(format!("{what} of a {} is not understood: {error}", D::KIND))
}
