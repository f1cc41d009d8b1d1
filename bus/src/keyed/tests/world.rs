//! A journal, a projection, a clock and a runner, which can be crashed and started again.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use passerelle_journal::memory::Memory;
use passerelle_journal::{Journal, Position};
use passerelle_projection::{Projection, Settings};
use passerelle_proto::bus::v1::Record;
use prost::Message;
use tempfile::TempDir;
use tokio::sync::watch;

use super::jar::{Jar, Order, Total};
use crate::keyed::clock::Manual;
use crate::keyed::{Answers, Done, Entities, Failure, Keyed, KeyedSettings, Parts, Timers};

pub(super) type Outcome = Result<Done<Total>, Failure<super::jar::TooFew>>;

pub(super) struct World {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) clock: Arc<Manual>,
    pub(super) settings: KeyedSettings,
    /// What the observer saw: key, sequence of the events' record by count, coins, position.
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    seen_count: watch::Sender<usize>,
    folder: TempDir,
    running: Option<(Arc<Keyed<Jar>>, Arc<Projection>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) key: String,
    pub(super) events: usize,
    pub(super) coins: u64,
    pub(super) position: Position,
    pub(super) now: SystemTime,
}

/// Small limits, one shard: what is asked one after the other is decided in that order.
pub(super) fn small() -> KeyedSettings {
    KeyedSettings { shards: 1, in_hand: 64, keys: 8, snapshot_every: 5, timers: 16, ended_kept: Duration::ZERO }
}

impl World {
    pub(super) fn new(settings: KeyedSettings) -> Self {
        Self::on(Arc::new(Memory::new()), settings)
    }

    pub(super) fn on(journal: Arc<dyn Journal>, settings: KeyedSettings) -> Self {
        let mut world = Self {
            journal,
            clock: Arc::new(Manual::at_seconds(1_000)),
            settings,
            seen: Arc::default(),
            seen_count: watch::Sender::new(0),
            folder: TempDir::new().unwrap(),
            running: None,
        };
        world.start();
        world
    }

    pub(super) fn start(&mut self) {
        let folds: Vec<Box<dyn passerelle_projection::Fold>> =
            vec![Box::new(Answers::default()), Box::new(Timers), Box::new(Entities::with_columns(Jar))];
        let path = self.folder.path().join("views.sqlite");
        let projection = Projection::open(&path, folds, self.journal.clone(), Settings::default()).unwrap();
        let projection = Arc::new(projection);
        let parts = Parts { journal: self.journal.clone(), projection: projection.clone(), clock: self.clock.clone() };
        let (seen, count) = (self.seen.clone(), self.seen_count.clone());
        let keyed = Keyed::open(Jar, parts, self.settings, move |observed| {
            seen.lock().unwrap().push(Seen {
                key: observed.key.to_owned(),
                events: observed.events.len(),
                coins: observed.state.coins,
                position: observed.position,
                now: observed.now,
            });
            count.send_modify(|count| *count += 1);
        });
        self.running = Some((Arc::new(keyed.unwrap()), projection));
    }

    /// Stops without draining, as a crash would.
    pub(super) async fn crash(&mut self) {
        let (keyed, projection) = self.running.take().unwrap();
        drop(keyed);
        projection.close().await;
    }

    /// Gives up the records before a position, when the views have them all.
    pub(super) async fn trim(&self, before: Position) {
        self.projection().reach(self.journal.durable().borrow().position).await.unwrap();
        assert_eq!(self.journal.trim(before).await.unwrap(), before);
    }

    /// The views are gone, to be built anew at the next start.
    pub(super) fn erase_projection(&self) {
        Projection::erase(&self.folder.path().join("views.sqlite")).unwrap();
    }

    pub(super) async fn restart(&mut self) {
        self.crash().await;
        self.start();
    }

    pub(super) fn keyed(&self) -> Arc<Keyed<Jar>> {
        self.running.as_ref().unwrap().0.clone()
    }

    pub(super) fn projection(&self) -> Arc<Projection> {
        self.running.as_ref().unwrap().1.clone()
    }

    pub(super) async fn ask(&self, key: &str, order: Order) -> Outcome {
        self.keyed().command(key, None, order).await
    }

    pub(super) async fn ask_once(&self, key: &str, idempotency_key: &str, order: Order) -> Outcome {
        self.keyed().command(key, Some(idempotency_key), order).await
    }

    /// Asks without waiting for the answer.
    pub(super) fn asking(&self, key: &str, idempotency_key: &str, order: Order) -> tokio::task::JoinHandle<Outcome> {
        let (keyed, key, idempotency_key) = (self.keyed(), key.to_owned(), idempotency_key.to_owned());
        tokio::spawn(async move { keyed.command(&key, Some(&idempotency_key), order).await })
    }

    pub(super) async fn coins(&self, key: &str) -> u64 {
        self.keyed().state(key).await.unwrap().map_or(0, |(state, _)| state.coins)
    }

    pub(super) async fn rung(&self, key: &str) -> Vec<String> {
        self.keyed().state(key).await.unwrap().map(|(state, _)| state.rung).unwrap_or_default()
    }

    /// Returns when the observer has seen that many records since the beginning.
    pub(super) async fn seen(&self, records: usize) {
        self.seen_count.subscribe().wait_for(|count| *count >= records).await.unwrap();
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Every record of the journal.
    pub(super) fn records(&self) -> Vec<Record> {
        let first = self.journal.first();
        let stored = self.journal.read(first, usize::MAX).unwrap();
        stored.into_iter().map(|stored| Record::decode(stored.entry.data).unwrap()).collect()
    }
}

/// A command's coins, which must have been taken.
pub(super) fn coins(outcome: Outcome) -> u64 {
    outcome.unwrap().answer.coins
}
