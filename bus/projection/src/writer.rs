//! The one thread that writes: reads the journal, folds, commits, checkpoints.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_journal::{Journal, Position};
use rusqlite::{Connection, TransactionBehavior};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::apply::{Trouble, apply, cannot};
use crate::checkpoint::{Checkpoints, Log};
use crate::file::{self, Claim};
use crate::observe::{self, Progress};
use crate::tables::{self, Followed};
use crate::{Health, Settings, Status, Stopped};

/// Bytes of data asked of the journal at once.
const PAGE_BYTES: usize = 256 * 1024;

/// What was only published is passed over so often at most: nobody but who asks for that very position waits for it.
const PASSING: Duration = Duration::from_millis(10);

/// How often what is held is tried again, and the lag of what stopped is measured.
const BEAT: Duration = Duration::from_secs(1);

/// What the thread owns.
pub(crate) struct Writer {
    pub(crate) path: PathBuf,
    pub(crate) connection: Connection,
    pub(crate) folds: Vec<Followed>,
    /// Everything up to here is in all tables.
    pub(crate) position: Position,
    /// When the tables' own position was last written.
    pub(crate) committed: Instant,
    /// Everything up to here is in the file, and on disk.
    pub(crate) secured: Position,
    /// Up to where somebody waits for that.
    pub(crate) wanted: watch::Receiver<Position>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) settings: Settings,
    pub(crate) progress: Progress,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) close: watch::Receiver<bool>,
    /// For waiting only.
    pub(crate) runtime: Runtime,
    /// Dropped last: the file is free when its connection is closed.
    pub(crate) _claim: Claim,
}

impl Writer {
    /// Follows until it is told to close.
    pub(crate) fn run(mut self) {
        // A fold that panics has a fault, and must not look as if it were merely slow.
        let stopped = match catch_unwind(AssertUnwindSafe(|| self.follow())) {
            Ok(None) => return,
            Ok(Some(stopped)) => stopped,
            Err(_) => Stopped { position: self.position.next(), why: "a fold panicked at this record or soon after".into() },
        };
        if let Err(error) = tables::stop(&self.connection, &stopped) {
            tracing::warn!(%error, "that the views stopped cannot be written into their file");
        }
        self.status.send_modify(|status| status.health = Health::Stopped(stopped));
        while !self.closing() {
            observe::progress(self.position, self.last());
            self.rest();
        }
    }

    /// None: it was told to close.
    fn follow(&mut self) -> Option<Stopped> {
        // The record that cannot be folded, once it was met: those before it still are.
        let mut poison: Option<Stopped> = None;
        while !self.closing() {
            let end = poison.as_ref().map(|stopped| stopped.position);
            let only_passed = self.pass_over() && self.committed.elapsed() < BEAT && !self.is_to_secure();
            let written = if only_passed { Ok(()) } else { self.keep_log_short().and_then(|()| self.transaction(end)) };
            match written.and_then(|()| self.secure()) {
                Ok(()) => self.tell(),
                Err(Trouble::Record(stopped)) => poison = Some(stopped),
                Err(Trouble::Held(why)) => self.hold(why),
                Err(Trouble::Broken(why)) => return Some(Stopped { position: self.position.next(), why }),
            }
            if poison.as_ref().is_some_and(|stopped| stopped.position == self.position.next()) {
                return poison;
            }
            self.wait_for_more(only_passed);
        }
        None
    }

    /// Folds what there is before `end`, as one transaction of bounded size.
    fn transaction(&mut self, end: Option<Position>) -> Result<(), Trouble> {
        let started = Instant::now();
        let mut at = self.position;
        let mut count = 0;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        'pages: while !*self.close.borrow() {
            let page = self.journal.read(at.next(), PAGE_BYTES).map_err(|error| cannot(at.next(), error.to_string()))?;
            if page.is_empty() {
                break;
            }
            for stored in page {
                let enough = count >= self.settings.transaction_records || started.elapsed() >= self.settings.transaction_time;
                if (enough && count > 0) || end.is_some_and(|end| stored.position >= end) {
                    break 'pages;
                }
                apply(&transaction, &mut self.folds, &stored)?;
                at = stored.position;
                count += 1;
            }
        }
        tables::advance(&transaction, &self.folds, at)?;
        transaction.commit()?;
        for followed in &mut self.folds {
            followed.position = followed.position.max(at);
        }
        (self.position, self.committed) = (at, Instant::now());
        Ok(())
    }

    /// Passes over what was published, without reading it, where no fold wants it. The position in the file follows with the next
    /// transaction, a beat later at most: after a crash the same is passed over again.
    fn pass_over(&mut self) -> bool {
        let (durable, keyed) = {
            let durable = self.journal.durable();
            let durable = durable.borrow();
            (durable.position, durable.keyed)
        };
        let passes =
            durable > self.position && keyed <= self.position && !self.folds.iter().any(|followed| followed.fold.published());
        if passes {
            self.position = durable;
        }
        passes
    }

    /// Something was passed over since the last transaction.
    fn is_ahead_of_file(&self) -> bool {
        self.folds.iter().any(|followed| followed.position < self.position)
    }

    /// Somebody waits until what was folded or passed over is on disk.
    fn is_to_secure(&self) -> bool {
        (self.secured.next()..=self.position).contains(&*self.wanted.borrow())
    }

    /// Makes durable what is in the file, when somebody waits for it. As with the journal, a failed sync is final: a second one would
    /// succeed on pages that were thrown away.
    fn secure(&mut self) -> Result<(), Trouble> {
        let in_file = self.folds.iter().map(|followed| followed.position).min().unwrap_or(self.position);
        let wanted = *self.wanted.borrow();
        if wanted <= self.secured || wanted > in_file {
            return Ok(());
        }
        file::sync_log(&self.path)
            .map_err(|error| Trouble::Broken(format!("what is in their file cannot be made durable: {error}").into()))?;
        self.secured = in_file;
        Ok(())
    }

    /// Before a transaction: is there room for it?
    fn keep_log_short(&mut self) -> Result<(), Trouble> {
        match self.checkpoints.keep_short(&self.connection)? {
            Log::Short => Ok(()),
            Log::Full => Err(Trouble::Held("another program has been reading the views' file for too long; end it".into())),
        }
    }

    fn tell(&mut self) {
        let (position, secured, last) = (self.position, self.secured, self.last());
        observe::progress(position, last);
        let health = self.progress.at(position, last);
        self.status.send_if_modified(|status| {
            let now = Status { position, secured, health };
            let changed = *status != now;
            *status = now;
            changed
        });
    }

    /// Says why, once, and lets a moment pass.
    fn hold(&mut self, why: Arc<str>) {
        observe::progress(self.position, self.last());
        let health = Health::Held(why.clone());
        let news = self.status.send_if_modified(|status| {
            let changed = status.health != health;
            status.health = health;
            changed
        });
        if news {
            tracing::warn!(position = self.position.0, why = &*why, "the views do not follow for the moment");
        }
        self.rest();
    }

    fn wait_for_more(&mut self, only_passed: bool) {
        let (mut durable, mut decided, mut close) = (self.journal.durable(), self.journal.decided(), self.close.clone());
        let (position, secured, ahead) = (self.position, self.secured, self.is_ahead_of_file());
        let mut wanted = self.wanted.clone();
        self.runtime.block_on(async {
            tokio::select! {
                // An error: the journal is closed, nothing more will come.
                Ok(_) = decided.wait_for(|decided| decided.keyed > position) => {}
                Ok(()) = async {
                    if only_passed {
                        tokio::time::sleep(PASSING).await;
                    }
                    durable.wait_for(|durable| durable.position > position).await.map(drop)
                } => {}
                // What lies beyond the position comes with it.
                Ok(_) = wanted.wait_for(|wanted| (secured.next()..=position).contains(wanted)) => {}
                _ = close.wait_for(|close| *close) => {}
                () = tokio::time::sleep(BEAT), if ahead => {}
            }
        });
    }

    fn rest(&mut self) {
        let mut close = self.close.clone();
        // Either way: the time has passed, or it is to close.
        let _ = self.runtime.block_on(async { timeout(BEAT, close.wait_for(|close| *close)).await.is_ok() });
    }

    fn closing(&self) -> bool {
        *self.close.borrow()
    }

    fn last(&self) -> Position {
        self.journal.durable().borrow().position
    }
}
