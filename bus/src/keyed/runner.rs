//! The handle: commands go in, answers come back when they are on disk.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use passerelle_journal::{AppendError, Journal};
use passerelle_projection::Projection;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::ask::{Ask, Command, Reply};
use super::dispatch::Dispatcher;
use super::door::Doors;
use super::home::{Home, ROOM_PATIENCE};
use super::key::Key;
use super::observe::Meter;
use super::shard::Shard;
use super::timetable::Timetable;
use super::{Clock, Decider, Done, Failure, KeyedSettings, Observed, OpenError};

/// Longest idempotency key, in bytes.
const LONGEST_IDEMPOTENCY_KEY: usize = 256;
/// Histories read at the same time, by all shards together: each takes a blocking thread.
const LOADS: usize = 16;

/// What a runner stands on.
pub struct Parts {
    /// Where records are written.
    pub journal: Arc<dyn Journal>,
    /// Where older answers and timers are found: with the folds [`Answers`](super::Answers) and [`Timers`](super::Timers).
    pub projection: Arc<Projection>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Runs one decider for all its keys: one writer a key, so that commands of a key follow each other and those of different keys do not wait
/// for each other. Dropped, it stops where it stands, as a crash would; [`drain`](Self::drain) ends it well.
pub struct Keyed<D: Decider> {
    pub(super) home: Arc<Home<D>>,
    pub(super) doors: Arc<Doors<D>>,
    closing: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
}

impl<D: Decider> Keyed<D> {
    /// Starts the tasks (within a tokio runtime). The observer is called for each record once it is durable, in order for a key; it must not block.
    ///
    /// Returns at once: timers begin to fire when the projection has got to where the journal ends now.
    pub fn open(
        decider: impl Into<Arc<D>>,
        parts: Parts,
        settings: KeyedSettings,
        observer: impl Fn(Observed<'_, D>) + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        settings.check()?;
        let (doors, letters) = Doors::new(settings.shards, settings.in_hand);
        let (closing, closed) = watch::channel(false);
        let doors = Arc::new(doors);
        let home = Arc::new(Home {
            decider: decider.into(),
            parts,
            settings,
            observer: Box::new(observer),
            timetable: Timetable::new(settings.timers),
            meter: Meter::new(D::KIND),
            loads: Arc::new(Semaphore::new(LOADS)),
        });
        let mut tasks = JoinSet::new();
        for letters in letters {
            tasks.spawn(Shard::new(home.clone(), letters).run(closed.clone()));
        }
        tasks.spawn(Dispatcher::new(home.clone(), doors.clone()).run(closed));
        Ok(Self { home, doors, closing, tasks: Mutex::new(tasks) })
    }

    /// Decides the command and answers when it is on disk. A repetition (the same idempotency key for the same key) is given the first answer.
    ///
    /// A key has 1 to 400 bytes, an idempotency key at most 256; an empty one is none. Waits up to 5 seconds for a projection that is too far
    /// behind. A caller that goes away does not take its command back.
    pub async fn command(
        &self,
        key: &str,
        idempotency_key: Option<&str>,
        command: D::Command,
    ) -> Result<Done<D::Answer>, Failure<D::Refusal>> {
        let outcome = self.decided(key, idempotency_key.unwrap_or_default().to_owned(), command).await;
        self.home.meter.answered(&outcome);
        outcome
    }

    /// What the thing is, with the sequence of its last record; only what is on disk. `None`: it was never written.
    pub async fn state(&self, key: &str) -> Result<Option<(D::State, u64)>, Failure<D::Refusal>> {
        self.ask(key, Ask::State).await
    }

    /// Takes no more commands, fires no more timers, and waits until all that was taken is answered: `true`. `false`: it took longer than the
    /// grace, and was stopped where it stood.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.closing.send_replace(true);
        let mut tasks = mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let ended = async { while tasks.join_next().await.is_some() {} };
        timeout(grace, ended).await.is_ok()
    }

    async fn decided(
        &self,
        key: &str,
        idempotency_key: String,
        command: D::Command,
    ) -> Result<Done<D::Answer>, Failure<D::Refusal>> {
        if idempotency_key.len() > LONGEST_IDEMPOTENCY_KEY {
            let length = idempotency_key.len();
            let why = format!("an idempotency key of {length} bytes, at most {LONGEST_IDEMPOTENCY_KEY} are taken");
            return Err(Failure::Journal(AppendError::TooLarge(why)));
        }
        match timeout(ROOM_PATIENCE, self.home.parts.projection.room()).await {
            Ok(room) => room.map_err(|stopped| Failure::Behind(stopped.to_string()))?,
            Err(_) => return Err(Failure::Behind("the views are too far behind the journal".to_owned())),
        }
        self.ask(key, |reply| Ask::Command(Command { idempotency_key, command, reply })).await
    }

    async fn ask<T>(&self, key: &str, ask: impl FnOnce(Reply<D, T>) -> Ask<D>) -> Result<T, Failure<D::Refusal>> {
        let key = Key::new::<D>(key).map_err(Failure::Journal)?;
        let door = self.doors.of(&key);
        let permit = door.try_enter().ok_or(Failure::Busy)?;
        let (reply, answer) = Reply::open(permit);
        door.send(key, ask(reply)).map_err(|_| Failure::Closed)?;
        answer.await.unwrap_or(Err(Failure::Closed))
    }
}
