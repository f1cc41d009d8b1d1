//! The tables, and how their file is opened.

use std::path::Path;

use passerelle_adapter::Fault;
use rusqlite::Connection;

use super::failed;

/// Before this one SQLite could lose what it had committed (WAL reset race).
const OLDEST_SQLITE: i32 = 3_051_003;
/// The tables' version, kept in the file (`user_version`).
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE customers (
        id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE, folded_name TEXT NOT NULL, customer BLOB NOT NULL
    );
    CREATE TABLE keys (kind TEXT NOT NULL, value TEXT NOT NULL, customer INTEGER NOT NULL, PRIMARY KEY (kind, value, customer)) WITHOUT ROWID;
    CREATE INDEX keys_of_customer ON keys (customer);
    CREATE TABLE interactions (id INTEGER PRIMARY KEY AUTOINCREMENT, customer INTEGER NOT NULL, interaction BLOB NOT NULL);
    CREATE INDEX interactions_of_customer ON interactions (customer, id);
    CREATE TABLE changes (sequence INTEGER PRIMARY KEY AUTOINCREMENT, change BLOB NOT NULL);
    CREATE TABLE answers (digest TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, answer BLOB NOT NULL, at_seconds INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX answers_by_age ON answers (at_seconds);
    PRAGMA user_version = 1;
";

/// Opens the file, made where it is not there. What is committed is on disk.
pub(super) fn open(path: &Path) -> Result<Connection, Fault> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Fault::unavailable(format!("SQLite {} is too old for customers", rusqlite::version())));
    }
    let opened = || {
        let connection = Connection::open(path)?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "secure_delete", "on")?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
        if version == 0 {
            connection.execute_batch(&format!("BEGIN; {TABLES} COMMIT;"))?;
        }
        Ok::<_, rusqlite::Error>((connection, version))
    };
    let (connection, version) = opened().map_err(|error| failed("the customers cannot be opened", &error))?;
    if version > VERSION {
        return Err(Fault::unavailable(format!(
            "the file is of version {version}, this program knows {VERSION}: use a newer one"
        )));
    }
    Ok(connection)
}
