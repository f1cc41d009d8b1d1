//! What a fold is: tables, and what a record changes in them.

use passerelle_journal::Position;
use passerelle_proto::bus::v1::Record;
use rusqlite::Transaction;

/// Tables that follow the journal. A pure function of the records: it must not look at the clock, at random or outside its tables.
///
/// A transaction may be rolled back and its records come again: what a fold keeps in memory must not depend on the records seen.
pub trait Fold: Send + 'static {
    /// Names the fold: lower case letters, digits and `_`. Its tables and indexes are called so, or so with `_…` behind.
    fn name(&self) -> &'static str;

    /// Version of tables and rules. Another one than the file has: the tables are dropped, and built anew from the journal.
    fn version(&self) -> u32;

    /// Makes the tables and indexes, `CREATE TABLE name…` (plain statements, with `;` between).
    fn schema(&self) -> String;

    /// Whether it folds what was published, too: records without a key. Where no fold does, they are passed over without being decoded.
    fn published(&self) -> bool {
        true
    }

    /// What one record changes. Records come once each, in order; a record with a snapshot may follow on none of its key.
    ///
    /// An error stops the whole projection at this record: nothing is skipped. Use `prepare_cached`.
    fn apply(&mut self, transaction: &Transaction<'_>, position: Position, record: &Record) -> Result<(), FoldError>;
}

/// A record cannot be folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The database refuses.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// The record's bytes are not what this fold understands: what, and where; without the value.
    #[error("{0}")]
    Record(String),
}
