//! Connections that read, a bounded number of them, each read with a limit in time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, InterruptHandle};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::{ReadError, Settings, file};

/// A query that is to end is told so this often.
const AGAIN: Duration = Duration::from_millis(50);

/// The readers of one file.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    limit: Duration,
    count: u32,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, settings: &Settings) -> Self {
        let count = settings.readers.clamp(1, 1024);
        let turns = Arc::new(Semaphore::new(count));
        Self { path, limit: settings.read_time, count: count as u32, turns, idle: Mutex::default() }
    }

    /// Runs a query on a blocking thread, as one transaction. None: closed.
    ///
    /// Whoever stops waiting for the answer interrupts the query.
    pub(crate) async fn read<T, Q>(&self, query: Q) -> Option<Result<T, ReadError>>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let turn = self.turns.clone().acquire_owned().await.ok()?;
        let connection = match self.connection() {
            Ok(connection) => connection,
            Err(error) => return Some(Err(self.refused(&error))),
        };
        let mut interrupt = Interrupt(Some(connection.get_interrupt_handle()));
        let mut running = tokio::task::spawn_blocking(move || {
            let answer = connection.unchecked_transaction().and_then(|_one_moment| query(&connection));
            (connection, answer, turn)
        });
        let ended = match timeout(self.limit, &mut running).await {
            Ok(ended) => ended,
            Err(_) => loop {
                // Where no statement runs at this moment, nothing hears it.
                interrupt.now();
                if let Ok(ended) = timeout(AGAIN, &mut running).await {
                    break ended;
                }
            },
        };
        Some(match ended {
            Ok((connection, answer, _turn)) => {
                // The next read on this connection is somebody else's.
                interrupt.0 = None;
                self.idle().push(connection);
                answer.map_err(|error| self.refused(&error))
            }
            Err(_) => Err(ReadError::Database("the query panicked".into())),
        })
    }

    /// Waits for the reads that are under way, and closes all connections.
    pub(crate) async fn close(&self) {
        let all = self.turns.acquire_many(self.count).await;
        self.turns.close();
        self.idle().clear();
        drop(all);
    }

    /// One that is idle, or a new one. Opening is some system calls on a file that is open elsewhere: no thread of its own for that.
    fn connection(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle().pop();
        idle.map_or_else(|| file::reader(&self.path), Ok)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, error: &rusqlite::Error) -> ReadError {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => ReadError::TooLong { limit_ms: self.limit.as_millis() as u64 },
            _ => ReadError::Database(error.to_string().into()),
        }
    }
}

/// Ends the query of a connection when nobody waits for it any more.
struct Interrupt(Option<InterruptHandle>);

impl Interrupt {
    fn now(&self) {
        if let Some(handle) = &self.0 {
            handle.interrupt();
        }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.now();
    }
}
