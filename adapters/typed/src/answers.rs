//! One effect and one answer for each idempotency key: effect and answer are written in the same SQLite transaction.

use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use passerelle_adapter::{Fault, Health, Lookup, Rejection};
use prost::Message;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Params, Row, TransactionBehavior};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::Call;

/// Answers that are kept; older ones are forgotten, so that the table does not grow for ever.
const KEPT: i64 = 1_000_000;
/// Before this one SQLite could lose what it had committed (WAL reset race).
const OLDEST_SQLITE: i32 = 3_051_003;
/// Between two attempts to switch to the write-ahead log.
const AGAIN: Duration = Duration::from_millis(5);

const ANSWERS: &str = "CREATE TABLE answers (key TEXT NOT NULL UNIQUE, fingerprint BLOB NOT NULL, answer BLOB NOT NULL);";

/// A SQLite database that also knows what was answered under which key.
///
/// A system behind that is no SQLite database needs the same of its own: an effect and its key kept together, or a way to find an
/// effect by its key. Where neither exists, do without look-up: the bus is then told the truth, and asks a person.
#[derive(Debug)]
pub struct Answers {
    path: PathBuf,
    schema: &'static str,
    timeout: Duration,
    idle: Mutex<Vec<Connection>>,
}

/// Why nothing happened.
#[derive(Debug)]
pub enum Undone {
    /// The adapter's own reason.
    Fault(Fault),
    /// SQLite's.
    Database(rusqlite::Error),
}

impl From<Fault> for Undone {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<rusqlite::Error> for Undone {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl Undone {
    fn fault(self, what: &str) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Database(error) => Fault::unavailable(format!("{what}: {}", why(&error))),
        }
    }
}

impl Answers {
    /// The file at `path`, made when it is not there; `schema` is run once, when it is new. A lock is waited for at most `timeout`.
    pub fn new(path: impl Into<PathBuf>, schema: &'static str, timeout: Duration) -> Self {
        Self { path: path.into(), schema, timeout, idle: Mutex::default() }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads from the database.
    ///
    /// # Errors
    /// What `question` says, or [`Fault::Unavailable`]: nothing happened.
    pub fn read<T>(&self, question: impl FnOnce(&Connection) -> Result<T, Undone>) -> Result<T, Fault> {
        let database = self.connection()?;
        let found = question(&database).map_err(|undone| undone.fault("the database cannot be read"))?;
        self.give_back(database);
        Ok(found)
    }

    /// The first row of an answer, as `map` reads it.
    ///
    /// # Errors
    /// [`Rejection::NotFound`] without a row; as [`Answers::read`].
    pub fn row<T>(
        &self,
        query: &str,
        parameters: impl Params,
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Fault> {
        let found = self.read(|database| Ok(database.prepare_cached(query)?.query_row(parameters, map).optional()?))?;
        found.ok_or_else(|| Fault::rejected(Rejection::NotFound, "there is nothing like that"))
    }

    /// Hands each row of an answer, as `map` reads it, to `take`.
    ///
    /// # Errors
    /// What `take` says, which ends it; as [`Answers::read`].
    pub fn rows<T>(
        &self,
        query: &str,
        parameters: impl Params,
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
        mut take: impl FnMut(T) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.read(|database| {
            let mut query = database.prepare_cached(query)?;
            query.query_map(parameters, map)?.try_for_each(|row| Ok(take(row?)?))
        })
    }

    /// Runs `effect` in a transaction, unless the call's key has an answer, which is given again.
    ///
    /// # Errors
    /// What `effect` says, [`Fault::Unavailable`]: nothing happened; [`Fault::Unknown`]: the database may have taken it.
    pub fn once<M: Message + Default>(
        &self,
        call: &Call,
        effect: impl FnOnce(&Connection) -> Result<M, Undone>,
    ) -> Result<M, Fault> {
        let mut database = self.connection()?;
        let nothing = |undone: Undone| undone.fault("the database took nothing");
        let transaction =
            database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|error| nothing(error.into()))?;
        let answer = match answered(&transaction, call).map_err(nothing)? {
            Some(answer) => answer,
            None => {
                let answer = effect(&transaction).map_err(nothing)?;
                keep(&transaction, call, &answer).map_err(|error| nothing(error.into()))?;
                answer
            }
        };
        let committed = transaction.commit();
        committed.map_err(|error| Fault::unknown(format!("the database may have taken it: {}", why(&error))))?;
        self.give_back(database);
        Ok(answer)
    }

    /// What became of the operation under this key. Of no call that is under way: that one is waited for before.
    ///
    /// # Errors
    /// [`Fault::Unavailable`]: it cannot be looked up now.
    pub fn lookup(&self, key: &str) -> Result<Lookup, Fault> {
        let query = "SELECT answer FROM answers WHERE key = ?1";
        let answer = self.read(|database| Ok(database.query_row(query, [key], |row| row.get::<_, Vec<u8>>(0)).optional()?))?;
        Ok(answer.map_or(Lookup::NotDone, |answer| Lookup::Done(answer.into())))
    }

    /// Whether the database can be read.
    pub fn health(&self) -> Health {
        let read = self.read(|database| Ok(database.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?));
        read.map_or_else(|fault| Health::Down { reason: fault.to_string() }, |()| Health::Ready)
    }

    /// One that is idle, or a new one.
    fn connection(&self) -> Result<Connection, Fault> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.open().map_err(|undone| undone.fault("the database cannot be opened")), Ok)
    }

    /// Only one that did what it should: others are closed.
    fn give_back(&self, database: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(database);
    }

    fn open(&self) -> Result<Connection, Undone> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(Fault::unavailable(format!("SQLite {} is too old", rusqlite::version())).into());
        }
        let mut database = Connection::open(&self.path)?;
        database.busy_timeout(self.timeout)?;
        if version(&database)? == 0 {
            write_ahead(&database, self.timeout)?;
            let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if version(&transaction)? == 0 {
                // Nobody else was faster.
                transaction.execute_batch(&format!("{ANSWERS}{}; PRAGMA user_version = 1;", self.schema))?;
            }
            transaction.commit()?;
        }
        Ok(database)
    }
}

fn version(database: &Connection) -> rusqlite::Result<i64> {
    database.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Switches to the write-ahead log, so that who reads and who writes do not wait for one another.
///
/// SQLite's own waiting is not for this statement: who switches reads first, and of two that have read neither could go on. So the
/// slower one is refused at once, and has to come again.
fn write_ahead(database: &Connection, timeout: Duration) -> rusqlite::Result<()> {
    let end = Instant::now() + timeout;
    loop {
        match database.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < end => {}
            switched => return switched,
        }
        #[allow(
            clippy::disallowed_methods,
            reason = "nobody tells when the lock is free; it is asked for in a thread that may wait"
        )]
        std::thread::sleep(AGAIN);
    }
}

fn answered<M: Message + Default>(database: &Connection, call: &Call) -> Result<Option<M>, Undone> {
    let Some(key) = &call.context.idempotency_key else { return Ok(None) };
    let query = "SELECT fingerprint, answer FROM answers WHERE key = ?1";
    let row = database.query_row(query, [key], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))).optional()?;
    let Some((known, answer)) = row else { return Ok(None) };
    if known != fingerprint(call) {
        let why = "the idempotency key was used for another request; a new operation needs a new key";
        return Err(Fault::rejected(Rejection::Invalid, why).into());
    }
    let unreadable = |_| Fault::unknown("the answer that was kept cannot be read");
    Ok(Some(M::decode(answer.as_slice()).map_err(unreadable)?))
}

fn keep(database: &Connection, call: &Call, answer: &impl Message) -> rusqlite::Result<()> {
    let Some(key) = &call.context.idempotency_key else { return Ok(()) };
    let row = (key, fingerprint(call), answer.encode_to_vec());
    database.execute("INSERT INTO answers (key, fingerprint, answer) VALUES (?1, ?2, ?3)", row)?;
    database.execute("DELETE FROM answers WHERE rowid <= ?1", [database.last_insert_rowid() - KEPT])?;
    Ok(())
}

/// Tells requests apart without keeping them.
fn fingerprint(call: &Call) -> [u8; 16] {
    let mut hasher = SipHasher13::new();
    hasher.write(call.method.as_bytes());
    hasher.write(&[0]);
    hasher.write(&call.request);
    hasher.finish128().as_bytes()
}

/// SQLite's own words can hold values, as of a constraint; the name of the error does not.
fn why(error: &rusqlite::Error) -> String {
    match error.sqlite_error() {
        Some(error) => format!("{:?} (SQLite's error {})", error.code, error.extended_code),
        None => "what is in it is not what was asked for".to_owned(),
    }
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
