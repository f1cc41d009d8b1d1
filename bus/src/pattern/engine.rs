//! Patterns at work: messages are read as a delivery reads them, decided about under their keys, and what is given up is buried.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use passerelle_journal::{AppendError, Position};
use passerelle_projection::rusqlite::Connection;
use passerelle_projection::{Fold, ReadError};
use passerelle_proto::bus::v1::{LostMessage, Message, PatternLoss, PatternState, pattern_event::Event};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::decide::{Command, Decide};
use super::set::Set;
use super::step::identity;
use crate::delivery::{
    self, Chosen, Delivery, DeliveryParts, DeliveryStatus, GivenUp, LaneLimits, Outcome, Parcel, Plan, Reason, RetryLimits,
};
use crate::keyed::{Carried, Decider as _, Entities, Failure, Keyed, KeyedSettings, Observed, Parts};

/// The set that runs.
pub(super) type Running = Arc<ArcSwap<Set>>;

/// How long what is under way may take when another set is to run.
const GRACE: Duration = Duration::from_secs(10);
/// Messages of one pattern that are decided about at the same time.
const UNDER_WAY: usize = 64;
/// Bytes of messages in memory, for each pattern.
const BYTES: usize = 4 << 20;
/// Keys with something to bury that wait for it. What does not fit is reminded of by its timer.
const TO_BURY: usize = 1_024;
/// Attempts go on: the journal they wait for is the bus's own.
const RETRY: RetryLimits =
    RetryLimits { attempts: u32::MAX, first_wait: Duration::from_millis(50), longest_wait: Duration::from_secs(10) };

/// The patterns cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A limit that leaves no room.
    #[error(transparent)]
    Limit(#[from] crate::keyed::OpenError),
    /// How far one has got cannot be read.
    #[error("how far the pattern {name} has got cannot be read: {why}")]
    Unreadable {
        /// Which.
        name: String,
        /// Why.
        why: String,
    },
}

/// A detour is not switched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwitchError {
    /// There is none of that name.
    #[error("no detour has that name")]
    NoDetour,
    /// It could not be written.
    #[error("it cannot be written: {0}")]
    Unwritten(String),
}

/// A pattern at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternStatus {
    /// Its name.
    pub name: String,
    /// How far it has got with what was published.
    pub reading: DeliveryStatus,
}

/// The patterns of a bus. Dropped, they stop where they stand, as a crash would; [`drain`](Self::drain) ends them well.
pub struct Patterns {
    keyed: Arc<Keyed<Decide>>,
    set: Running,
    detours: Arc<Detours>,
    parts: DeliveryParts,
    readers: Mutex<Readers>,
    /// Ended when dropped.
    _burying: JoinSet<()>,
}

/// What reads for the patterns of the set that runs.
#[derive(Default)]
struct Readers {
    all: Vec<Reader>,
    /// Ended when dropped.
    tasks: JoinSet<()>,
}

struct Reader {
    name: String,
    delivery: Arc<Delivery>,
}

/// Which detours are on, as their last records say.
#[derive(Default)]
struct Detours(RwLock<BTreeSet<String>>);

/// What a pattern holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Things that belong together, of each of which something is held.
    pub keys: u64,
    /// Messages.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Since when the oldest is held.
    pub since: Option<SystemTime>,
}

/// What a task that works for one pattern has at hand.
struct Desk {
    set: Running,
    detours: Arc<Detours>,
    name: String,
    keyed: Arc<Keyed<Decide>>,
    parts: DeliveryParts,
}

impl Patterns {
    /// The kind of what they keep.
    pub const KINDS: [&'static str; 1] = [Decide::KIND];

    /// The tables that patterns are listed from.
    #[must_use]
    pub fn folds() -> Vec<Box<dyn Fold>> {
        vec![Box::new(Entities::with_columns(Decide { set: Running::default() }))]
    }

    /// All of a set, going on where they were (within a tokio runtime). One that is new begins with the oldest record that is kept.
    ///
    /// # Errors
    /// How far one has got cannot be read.
    pub async fn open(set: Arc<Set>, parts: DeliveryParts) -> Result<Self, OpenError> {
        let set = Running::new(ArcSwap::new(set));
        let (to_bury, burying) = mpsc::channel(TO_BURY);
        let detours = Arc::new(Detours::default());
        let switches = detours.clone();
        let observer = move |observed: Observed<'_, Decide>| {
            for event in observed.events.iter().filter_map(|event| event.event.as_ref()) {
                match event {
                    // Where there is no room, its timer says it again.
                    Event::Lost(_) => drop(to_bury.try_send(observed.key.to_owned())),
                    Event::Switched(switched) => switches.switch(name_of(observed.key), switched.on),
                    _ => {}
                }
            }
        };
        let keyed = Parts { journal: parts.journal.clone(), projection: parts.projection.clone(), clock: parts.clock.clone() };
        let keyed = Arc::new(Keyed::open(Decide { set: set.clone() }, keyed, KeyedSettings::default(), observer)?);
        let mut tasks = JoinSet::new();
        tasks.spawn(bury_all(keyed.clone(), parts.clone(), burying));
        let patterns = Self { keyed, set, detours, parts, readers: Mutex::default(), _burying: tasks };
        patterns.read().await?;
        Ok(patterns)
    }

    /// Has another set run. What is under way is decided by the one before; what is held goes on by the new one. What a pattern holds that is
    /// not declared any more becomes dead letters when its time is over.
    ///
    /// # Errors
    /// How far one has got cannot be read: none runs then.
    pub async fn replace(&self, set: Arc<Set>) -> Result<(), OpenError> {
        // They stay until others are there: what they have not read must be kept.
        self.drain_readers(GRACE).await;
        self.set.store(set);
        self.read().await
    }

    /// Begins to read for all patterns of the set.
    async fn read(&self) -> Result<(), OpenError> {
        let set = self.set.load_full();
        let mut readers = Readers::default();
        for name in set.names() {
            let unreadable = |why: String| OpenError::Unreadable { name: name.to_owned(), why };
            let switch = self.keyed.state(&switch_of(name)).await.map_err(|why| unreadable(why.to_string()))?;
            self.detours.switch(name, switch.is_some_and(|(state, _)| state.detour));
            let opened = Delivery::open(plan(&set, name, &self.parts), self.parts.clone()).await;
            let delivery = Arc::new(opened.map_err(|why| unreadable(why.to_string()))?);
            let desk = Desk {
                set: self.set.clone(),
                detours: self.detours.clone(),
                name: name.to_owned(),
                keyed: self.keyed.clone(),
                parts: self.parts.clone(),
            };
            readers.tasks.spawn(work(desk, delivery.clone()));
            readers.all.push(Reader { name: name.to_owned(), delivery });
        }
        *self.readers() = readers;
        Ok(())
    }

    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How they are at this moment.
    #[must_use]
    pub fn status(&self) -> Vec<PatternStatus> {
        let status = |reader: &Reader| PatternStatus { name: reader.name.clone(), reading: reader.delivery.status() };
        self.readers().all.iter().map(status).collect()
    }

    /// The oldest record that is still to be read. `None`: there are no patterns.
    #[must_use]
    pub fn oldest(&self) -> Option<Position> {
        self.readers().all.iter().map(|reader| reader.delivery.oldest()).min()
    }

    /// Carries over what cannot be known without records before `before`. See [`Keyed::keep`].
    ///
    /// # Errors
    /// What the journal says.
    pub async fn keep(&self, before: Position) -> Result<Carried, Failure<super::Refusal>> {
        self.keyed.keep(before).await
    }

    /// What a pattern holds, as far as the views have got.
    ///
    /// # Errors
    /// The views cannot be read.
    pub async fn held(&self, name: &str) -> Result<Held, ReadError> {
        let range = range(name);
        let sql =
            "SELECT COUNT(*), TOTAL(holds), TOTAL(bytes), MIN(since) FROM pattern WHERE holds > 0 AND key >= ?1 AND key < ?2";
        let read = move |connection: &Connection| {
            connection.prepare_cached(sql)?.query_row([&range[0], &range[1]], |row| {
                let since = row.get::<_, Option<i64>>(3)?.and_then(|seconds| u64::try_from(seconds).ok());
                Ok(Held {
                    keys: row.get::<_, i64>(0)? as u64,
                    messages: row.get::<_, f64>(1)? as u64,
                    bytes: row.get::<_, f64>(2)? as u64,
                    since: since.map(|since| SystemTime::UNIX_EPOCH + Duration::from_secs(since)),
                })
            })
        };
        self.parts.projection.read(read).await
    }

    /// Gives up all that a pattern holds at this moment: it becomes dead letters. How many things that belong together that were.
    ///
    /// # Errors
    /// The views cannot be read, or it cannot be written.
    pub async fn purge(&self, name: &str) -> Result<u64, String> {
        let position = self.parts.journal.durable().borrow().position;
        let mut purged = 0;
        let range = range(name);
        let sql = "SELECT key FROM pattern WHERE holds > 0 AND key >= ?1 AND key < ?2";
        let read = move |connection: &Connection| {
            connection
                .prepare_cached(sql)?
                .query_map([&range[0], &range[1]], |row| row.get(0))?
                .collect::<Result<Vec<String>, _>>()
        };
        let keys = self.parts.projection.read_at_least(position, read).await.map_err(|error| error.to_string())?;
        for key in keys {
            match self.keyed.command(&key, None, Command::Purge).await {
                Ok(_) => purged += 1,
                // It was given meanwhile.
                Err(Failure::Refused(_)) => {}
                Err(failure) => return Err(failure.to_string()),
            }
        }
        Ok(purged)
    }

    /// Has the messages of a detour take it, or not, from now on; also after a restart.
    ///
    /// # Errors
    /// The pattern is no detour, or it cannot be written.
    pub async fn switch(&self, name: &str, on: bool) -> Result<(), SwitchError> {
        if !self.set.load().find(name).is_some_and(|declared| declared.is_detour()) {
            return Err(SwitchError::NoDetour);
        }
        let done = self.keyed.command(&switch_of(name), None, Command::Switch(on)).await;
        done.map(drop).map_err(|failure| SwitchError::Unwritten(failure.to_string()))
    }

    /// Whether the messages of a detour take it.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.detours.is_on(name)
    }

    /// Takes no more, and waits until what was taken is decided; whether that was within the grace.
    pub async fn drain(&self, grace: Duration) -> bool {
        let ended = self.drain_readers(grace).await;
        self.keyed.drain(grace).await && ended
    }

    async fn drain_readers(&self, grace: Duration) -> bool {
        let all: Vec<_> = self.readers().all.iter().map(|reader| reader.delivery.clone()).collect();
        let all = all.iter().map(|delivery| delivery.drain(grace));
        futures_util::future::join_all(all).await.into_iter().all(|ended| ended)
    }
}

impl Detours {
    fn switch(&self, name: &str, on: bool) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if on {
            all.insert(name.to_owned());
        } else {
            all.remove(name);
        }
    }

    fn is_on(&self, name: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

/// The name of the pattern whose key that is.
fn name_of(key: &str) -> &str {
    key.split_once('/').map_or(key, |(name, _)| name)
}

/// The key of what is said of a pattern as a whole.
fn switch_of(name: &str) -> String {
    format!("{name}/{}", Decide::SWITCH)
}

/// The keys of a pattern: from the first to the one after the last.
fn range(name: &str) -> [String; 2] {
    [format!("{name}/"), format!("{name}0")]
}

/// What a pattern reads. No delivery of the settings can have its name.
fn plan(set: &Arc<Set>, name: &str, parts: &DeliveryParts) -> Plan {
    let (set, pattern, clock) = (set.clone(), name.to_owned(), parts.clock.clone());
    let choose: delivery::Choose = Box::new(move |message| {
        let declared = set.find(&pattern)?;
        let now = clock.now();
        // What has no key is refused when its turn comes.
        let lane = |key: String| u64::from_str_radix(&identity(&[&key])[..16], 16).unwrap_or_default();
        declared.takes(message, now).then(|| Chosen { lane: declared.key(message, now).ok().map(lane) })
    });
    let lanes = LaneLimits { under_way: UNDER_WAY, ..LaneLimits::default() };
    // The writer of its key knows the messages that it was given.
    Plan { name: reads_as(name), choose, lanes, bytes: BYTES, retry: RETRY, once: None }
}

/// The name under which a pattern reads, and under which its dead letters are.
fn reads_as(name: &str) -> String {
    format!("patterns/{name}")
}

async fn work(desk: Desk, delivery: Arc<Delivery>) {
    let desk = Arc::new(desk);
    let mut working = JoinSet::new();
    loop {
        let parcels = delivery.take(UNDER_WAY).await;
        if parcels.is_empty() {
            break;
        }
        for parcel in parcels {
            let desk = desk.clone();
            working.spawn(async move { desk.decide(parcel).await });
        }
        while working.try_join_next().is_some() {}
    }
    working.join_all().await;
}

impl Desk {
    async fn decide(&self, mut parcel: Parcel) {
        let message = Arc::new(std::mem::take(&mut parcel.message));
        let outcome = self.outcome(&parcel, message.clone()).await;
        parcel.message = Arc::unwrap_or_clone(message);
        parcel.settle(outcome);
    }

    async fn outcome(&self, parcel: &Parcel, message: Arc<Message>) -> Outcome {
        let set = self.set.load_full();
        let key = set.find(&self.name).map(|declared| declared.key(&message, self.parts.clock.now()));
        let key = match key {
            Some(Ok(key)) => format!("{}/{key}", self.name),
            Some(Err(why)) => return Outcome::Rejected { why },
            None => return Outcome::Rejected { why: "the pattern is not declared any more".to_owned() },
        };
        let again = if parcel.is_replayed() { parcel.place().to_string() } else { String::new() };
        let idempotency_key = identity(&[&message.source, &message.id, &again]);
        let detour = self.detours.is_on(&self.name);
        match self.keyed.command(&key, Some(&idempotency_key), Command::Take { message, detour }).await {
            Ok(_) => Outcome::Delivered,
            Err(Failure::Refused(refusal)) => Outcome::Rejected { why: refusal.to_string() },
            Err(Failure::Journal(why @ AppendError::TooLarge(_))) => Outcome::Rejected { why: why.to_string() },
            Err(failure) => Outcome::Failed { retry_after: None, why: failure.to_string() },
        }
    }
}

/// Makes dead letters of what patterns gave up, key by key.
async fn bury_all(keyed: Arc<Keyed<Decide>>, parts: DeliveryParts, mut burying: mpsc::Receiver<String>) {
    while let Some(key) = burying.recv().await {
        if let Err(why) = bury(&keyed, &parts, &key).await {
            tracing::warn!(pattern = key.split('/').next(), why, "what a pattern gave up cannot be written down for now");
        }
    }
}

async fn bury(keyed: &Keyed<Decide>, parts: &DeliveryParts, key: &str) -> Result<(), String> {
    let state = keyed.state(key).await.map_err(|failure| failure.to_string())?;
    let PatternState { lost, .. } = state.map(|(state, _)| state).unwrap_or_default();
    let mut places = Vec::with_capacity(lost.len());
    for LostMessage { place, message, why } in lost {
        let (reason, why) = told(PatternLoss::try_from(why).unwrap_or_default());
        let (name, of) = key.split_once('/').unwrap_or((key, ""));
        let delivery = reads_as(name);
        let letter = format!("{delivery}/{}.{place}", identity(&[of]));
        let given_up = GivenUp {
            delivery,
            message: message.unwrap_or_default(),
            place: delivery::Place::default().into(),
            lane: 0,
            reason,
            why: why.to_owned(),
            attempts: 1,
        };
        let command = delivery::Bury::Up(Box::new(given_up));
        let written = parts.graves.command(&letter, Some("pattern"), command).await;
        written.map_err(|failure| failure.to_string())?;
        places.push(place);
    }
    if places.is_empty() {
        return Ok(());
    }
    let done = keyed.command(key, None, Command::Buried(places)).await;
    done.map(drop).map_err(|failure| failure.to_string())
}

fn told(why: PatternLoss) -> (Reason, &'static str) {
    match why {
        PatternLoss::Expired => (Reason::Expired, "what it belongs to was not complete when its time was over"),
        PatternLoss::Full => (Reason::Rejected, "more came of what it belongs to than may be held"),
        PatternLoss::Unmade => (Reason::Rejected, "what was to be published of it could not be made, or is too large"),
        PatternLoss::Purged => (Reason::Rejected, "an operator emptied the pattern"),
        PatternLoss::Unspecified => (Reason::Rejected, "it was given up"),
    }
}
