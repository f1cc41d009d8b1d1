//! The SQLite file: who may write it, and how it is opened.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::{OpenError, Settings};

/// 3.51.3: before it, two connections that write or checkpoint at once could lose committed data (<https://sqlite.org/wal.html>, section 11).
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long the writing connection waits for a reader or another program before it says that it is held.
pub(crate) const BUSY: Duration = Duration::from_millis(50);

/// Twice SQLite's own. Each page is written twice: to the log, then back.
const PAGE_BYTES: i64 = 8192;

/// The claim on a file: one projection writes it, and is alone to checkpoint.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Locked as long as it is open. A file of its own: closing the database's would drop SQLite's own locks.
    lock: File,
}

impl Claim {
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let lock = File::create(beside(path, ".lock")).map_err(|error| unusable(path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(unusable(path, error)),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started at this moment has the descriptor as well, until it runs.
        let _ = self.lock.unlock();
    }
}

/// Removes the database with what stands beside it. A file that is not there is removed already.
pub(crate) fn erase(path: &Path) -> Result<(), OpenError> {
    let _claim = Claim::take(path)?;
    // The database first: what remains of its log after a crash here belongs to no file and is ignored.
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(path, error)),
            _ => {}
        }
    }
    Ok(())
}

/// The connection that writes.
pub(crate) fn writer(path: &Path, settings: &Settings) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(256);
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    // The journal is the truth: what a power cut takes from the tables is folded again.
    connection.pragma_update(None, "synchronous", "normal")?;
    // Checkpoints are made between transactions, by `checkpoint`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // Used again rather than cut: writing over what is there is cheaper.
    connection.pragma_update(None, "journal_size_limit", bytes(settings.checkpoint_bytes.saturating_mul(2)))?;
    connection.pragma_update(None, "cache_size", -bytes(settings.cache_bytes / 1024))?;
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

/// A connection that reads, and can neither write nor checkpoint.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Readers wait for nobody, but for the moment in which the log is set up.
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// Makes durable what the writing connection has committed: with `synchronous` at normal, SQLite itself does so before a checkpoint only.
/// No lock is on the log, so closing it takes none from SQLite.
pub(crate) fn sync_log(path: &Path) -> std::io::Result<()> {
    File::open(beside(path, "-wal"))?.sync_data()
}

pub(crate) fn check_version() -> Result<(), OpenError> {
    match rusqlite::version_number() {
        number if number < OLDEST_SQLITE => Err(OpenError::OldSqlite { found: rusqlite::version() }),
        _ => Ok(()),
    }
}

pub(crate) fn unusable(path: &Path, why: impl ToString) -> OpenError {
    OpenError::File { path: path.to_owned(), why: why.to_string() }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// SQLite counts in signed numbers.
fn bytes(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
