//! Decisions through the keyed runner, the log and the projection, in this process.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use passerelle_bus::keyed::{Answers, Clock, Entities, Keyed, KeyedSettings, Parts, Timers};
use passerelle_journal::log::{Log, LogSettings};
use passerelle_journal::storage::Directory;
use passerelle_journal::{Journal, Position};
use passerelle_projection::rusqlite::Transaction;
use passerelle_projection::{Fold, FoldError, Projection, Settings};
use passerelle_proto::bus::v1::Record;
use tokio::task::JoinSet;

use super::Measured;
use super::rules::{Contacts, Source};

/// Callers that wait for a decision at the same time.
pub(crate) const IN_FLIGHT: usize = 512;

/// The message of each decision, as the other side has it in a table.
struct Messages;

impl Fold for Messages {
    fn name(&self) -> &'static str {
        "messages"
    }

    fn version(&self) -> u32 {
        1
    }

    fn schema(&self) -> String {
        "CREATE TABLE messages(position INTEGER PRIMARY KEY, customer TEXT NOT NULL, data BLOB NOT NULL)".to_owned()
    }

    fn apply(&mut self, transaction: &Transaction<'_>, position: Position, record: &Record) -> Result<(), FoldError> {
        let mut insert = transaction.prepare_cached("INSERT INTO messages VALUES (?1, ?2, ?3)")?;
        for event in &record.events {
            insert.execute((position.0 as i64, &record.key, &event.data[..]))?;
        }
        Ok(())
    }
}

/// The wall clock; the bench has no timers.
struct Wall;

#[async_trait]
impl Clock for Wall {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn sleep_until(&self, _: SystemTime) {
        std::future::pending().await
    }
}

/// Decides for so long, then waits until the tables show all of it: that time counts as well.
pub(crate) fn measure(folder: &Path, lasting: Duration) -> Result<Measured, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(decide(folder, lasting))
}

async fn decide(folder: &Path, lasting: Duration) -> Result<Measured, String> {
    let directory = Directory::open(folder.join("journal")).map_err(|error| error.to_string())?;
    let log = Arc::new(Log::open(Arc::new(directory), LogSettings::default()).map_err(|error| error.to_string())?);
    let folds: Vec<Box<dyn Fold>> =
        vec![Box::new(Answers::default()), Box::new(Timers), Box::new(Entities::new(Contacts, 1)), Box::new(Messages)];
    let projection = Projection::open(&folder.join("views.sqlite"), folds, log.clone(), Settings::default());
    let projection = Arc::new(projection.map_err(|error| error.to_string())?);
    let parts = Parts { journal: log.clone(), projection: projection.clone(), clock: Arc::new(Wall) };
    let keyed = Keyed::open(Contacts, parts, KeyedSettings::default(), |_| {}).map_err(|error| error.to_string())?;

    let run = Arc::new(Run { keyed, source: Source::new(), next: AtomicU64::new(0), over: AtomicBool::new(false) });
    let before = log.stats().syncs;
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        callers.spawn(run.clone().call());
    }
    let mut largest_lag = 0;
    let mut samples = tokio::time::interval(Duration::from_millis(20));
    while started.elapsed() < lasting {
        samples.tick().await;
        largest_lag = largest_lag.max(projection.lag());
    }
    run.over.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    while let Some(called) = callers.join_next().await {
        latencies.extend(called.map_err(|error| error.to_string())??);
    }
    let last = log.durable().borrow().position;
    let shown = projection.until(|status| status.position >= last).await;
    let took = started.elapsed();
    if shown.position < last {
        return Err(format!("{:?}", shown.health));
    }

    let syncs = log.stats().syncs - before;
    let stored = projection.read(|connection| connection.query_row("SELECT count(*) FROM messages", (), |row| row.get(0)));
    let stored: i64 = stored.await.map_err(|error| error.to_string())?;
    run.keyed.drain(Duration::from_secs(5)).await;
    projection.close().await;
    log.close().await;
    Ok(Measured { stored: stored as u64, took, latencies, syncs: Some(syncs), largest_lag })
}

struct Run {
    keyed: Keyed<Contacts>,
    source: Source,
    next: AtomicU64,
    over: AtomicBool,
}

impl Run {
    /// One decision after another; microseconds of each.
    async fn call(self: Arc<Self>) -> Result<Vec<u32>, String> {
        let mut latencies = Vec::new();
        while !self.over.load(Ordering::Relaxed) {
            let (customer, key, content) = self.source.contact(self.next.fetch_add(1, Ordering::Relaxed));
            let asked = Instant::now();
            let done = self.keyed.command(&customer, Some(&key), content).await.map_err(|error| error.to_string())?;
            if done.repeated {
                return Err(format!("{key} was taken for a repetition"));
            }
            latencies.push(asked.elapsed().as_micros() as u32);
        }
        Ok(latencies)
    }
}
