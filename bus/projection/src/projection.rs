//! The projection: opened once, read by many.

use std::path::Path;
use std::sync::Arc;

use passerelle_journal::{Journal, Position};
use rusqlite::Connection;

use crate::{Fold, OpenError, ReadError, Settings, Status, Stopped};

/// Tables in one SQLite file that follow the journal.
pub struct Projection {}

impl Projection {
    /// Opens the file, makes or drops tables as the folds want it, and begins to follow the journal.
    ///
    /// Blocks on the disk. What the journal holds already is folded in the background ([`Health::Building`](crate::Health::Building)).
    pub fn open(
        path: &Path,
        _folds: Vec<Box<dyn Fold>>,
        _journal: Arc<dyn Journal>,
        _settings: Settings,
    ) -> Result<Self, OpenError> {
        Err(OpenError::File { path: path.to_owned(), why: "not written yet".to_owned() })
    }

    /// Throws the file away, so that the next start builds everything anew from the journal.
    pub fn erase(path: &Path) -> Result<(), OpenError> {
        Err(OpenError::File { path: path.to_owned(), why: "not written yet".to_owned() })
    }

    /// Runs a query on the tables as they are; all its statements see the same moment.
    ///
    /// It runs on a blocking thread, on a connection that cannot write.
    pub async fn read<T, Q>(&self, _query: Q) -> Result<T, ReadError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        Err(ReadError::Database("not written yet".into()))
    }

    /// Like [`read`](Self::read), on tables that have got at least to `position`. Waits for them as long as the settings allow.
    pub async fn read_at_least<T, Q>(&self, position: Position, query: Q) -> Result<T, ReadError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.reach(position).await?;
        self.read(query).await
    }

    /// Waits until the tables have got to `position`, as long as the settings allow.
    pub async fn reach(&self, asked: Position) -> Result<(), ReadError> {
        Err(ReadError::Behind { asked, position: Position(0) })
    }

    /// Everything up to here is in all tables.
    pub fn position(&self) -> Position {
        Position(0)
    }

    /// Records that are durable in the journal and not yet in all tables.
    pub fn lag(&self) -> u64 {
        0
    }

    /// Waits while the lag is above its bound: for whoever is about to write to the journal.
    ///
    /// A projection that stopped gives an error only when its lag is above the bound: until then there is time to repair it.
    pub async fn room(&self) -> Result<(), Stopped> {
        Ok(())
    }

    /// How far it has got, and whether it follows.
    pub fn status(&self) -> Status {
        Status { position: self.position(), health: crate::Health::Following }
    }

    /// Waits until `fits` is true of the status, and returns it.
    pub async fn until(&self, _fits: impl FnMut(&Status) -> bool) -> Status {
        self.status()
    }

    /// Commits what is folded, ends the writing thread and closes the file. Dropping does the same without waiting for it.
    pub async fn close(&self) {}
}
