//! The projection: opened once, read by many.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use passerelle_journal::{Durability, Journal, Position};
use rusqlite::Connection;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::checkpoint::Checkpoints;
use crate::file::{self, Claim, unusable};
use crate::observe::Progress;
use crate::readers::Readers;
use crate::writer::Writer;
use crate::{Fold, Health, Inspected, OpenError, ReadError, Settings, Status, Stopped, inspect, tables};

/// Tables in one SQLite file that follow the journal.
pub struct Projection {
    status: watch::Receiver<Status>,
    durable: watch::Receiver<Durability>,
    readers: Readers,
    settings: Settings,
    /// Up to where the tables are to be secured.
    wanted: watch::Sender<Position>,
    close: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Projection {
    /// Opens the file, makes or drops tables as the folds want it, and begins to follow the journal.
    ///
    /// Blocks on the disk. What the journal holds already is folded in the background ([`Health::Building`]).
    pub fn open(
        path: &Path,
        folds: Vec<Box<dyn Fold>>,
        journal: Arc<dyn Journal>,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        file::check_version()?;
        let claim = Claim::take(path)?;
        let mut connection = file::writer(path, &settings).map_err(|error| unusable(path, error))?;
        let folds = tables::settle(path, &mut connection, folds, journal.as_ref())?;
        let checkpoints = Checkpoints::new(&connection, &settings).map_err(|error| unusable(path, error))?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|error| unusable(path, error))?;

        let durable = journal.durable();
        let last = durable.borrow().position;
        let position = folds.iter().map(|followed| followed.position).min().unwrap_or(last);
        let mut progress = Progress::new(position, last);
        let (status, watched) = watch::channel(Status { position, secured: Position(0), health: progress.at(position, last) });
        let (wanted, wanted_by_others) = watch::channel(Position(0));
        let (close, closing) = watch::channel(false);
        let writer = Writer {
            path: path.to_owned(),
            connection,
            folds,
            position,
            committed: Instant::now(),
            secured: Position(0),
            wanted: wanted_by_others,
            journal,
            checkpoints,
            settings: settings.clone(),
            progress,
            status,
            close: closing,
            runtime,
            _claim: claim,
        };
        let thread = thread::Builder::new().name("projection".to_owned()).spawn(move || writer.run());
        let thread = thread.map_err(|error| unusable(path, error))?;
        let readers = Readers::new(path.to_owned(), &settings);
        Ok(Self { status: watched, durable, readers, settings, wanted, close, thread: Mutex::new(Some(thread)) })
    }

    /// Throws the file away, so that the next start builds everything anew from the journal. Nobody may have it open.
    pub fn erase(path: &Path) -> Result<(), OpenError> {
        file::erase(path)
    }

    /// What the file says of itself, whether or not somebody has it open. `None`: there is no file.
    pub fn inspect(path: &Path) -> Result<Option<Inspected>, OpenError> {
        inspect::inspect(path)
    }

    /// Runs a query on the tables as they are; all its statements see the same moment.
    ///
    /// It runs on a blocking thread, on a connection that cannot write. Whoever stops waiting for the answer ends it.
    pub async fn read<T, Q>(&self, query: Q) -> Result<T, ReadError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.readers.read(query).await.unwrap_or_else(|| Err(self.closed().into()))
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
    pub async fn reach(&self, position: Position) -> Result<(), ReadError> {
        let there = |status: &Status| status.position >= position || matches!(status.health, Health::Stopped(_));
        match timeout(self.settings.patience, self.until(there)).await {
            Ok(status) if status.position >= position => Ok(()),
            Ok(Status { health: Health::Stopped(stopped), .. }) => Err(stopped.into()),
            Ok(_) | Err(_) => Err(ReadError::Behind { asked: position, position: self.position() }),
        }
    }

    /// Waits until the tables have got to `position` in a way that a power cut does not undo: then the journal can give up the records
    /// up to there. Unlike [`reach`](Self::reach) it waits as long as it takes.
    pub async fn secure(&self, position: Position) -> Result<(), Stopped> {
        self.wanted.send_if_modified(|wanted| std::mem::replace(wanted, position.max(*wanted)) < position);
        let there = |status: &Status| status.secured >= position || matches!(status.health, Health::Stopped(_));
        match self.until(there).await {
            Status { secured, health: Health::Stopped(stopped), .. } if secured < position => Err(stopped),
            _ => Ok(()),
        }
    }

    /// Everything up to here is in all tables.
    pub fn position(&self) -> Position {
        self.status.borrow().position
    }

    /// Records that are durable in the journal and not yet in all tables.
    pub fn lag(&self) -> u64 {
        let last = self.durable.borrow().position;
        last.0.saturating_sub(self.position().0)
    }

    /// Whether the lag is within its bound.
    pub fn has_room(&self) -> bool {
        self.lag() <= self.settings.lag_records
    }

    /// Waits while the lag is above its bound: for whoever is about to write to the journal.
    ///
    /// A projection that stopped gives an error only when its lag is above the bound: until then there is time to repair it.
    pub async fn room(&self) -> Result<(), Stopped> {
        if self.has_room() {
            return Ok(());
        }
        let last = || self.durable.borrow().position;
        let near = |status: &Status| last().0.saturating_sub(status.position.0) <= self.settings.lag_records;
        let status = self.until(|status| near(status) || matches!(status.health, Health::Stopped(_))).await;
        match status.health {
            Health::Stopped(stopped) if !self.has_room() => Err(stopped),
            _ => Ok(()),
        }
    }

    /// How far it has got, and whether it follows.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Waits until `fits` is true of the status, and returns it. A closed projection counts as stopped.
    pub async fn until(&self, fits: impl FnMut(&Status) -> bool) -> Status {
        let mut status = self.status.clone();
        let found = status.wait_for(fits).await.map(|status| status.clone());
        found.unwrap_or_else(|_| Status { health: Health::Stopped(self.closed()), ..self.status() })
    }

    /// Commits what is folded, ends the writing thread and closes the file. Dropping does the same without waiting for it.
    pub async fn close(&self) {
        // First the readers, so that the writer is the last to close: it then leaves no write-ahead log behind.
        self.readers.close().await;
        self.close.send_replace(true);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It catches the panics of folds; there is nothing more to say of it.
            let _ = tokio::task::spawn_blocking(move || thread.join().is_ok()).await;
        }
    }

    fn closed(&self) -> Stopped {
        Stopped { position: self.position().next(), why: "the bus is stopping".into() }
    }
}

impl Drop for Projection {
    fn drop(&mut self) {
        self.close.send_replace(true);
    }
}

impl fmt::Debug for Projection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Projection").field("status", &*self.status.borrow()).finish_non_exhaustive()
    }
}
