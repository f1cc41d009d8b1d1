//! Patterns at work: messages are read as a delivery reads them, decided about under their keys, and what is given up is buried.

use std::sync::Arc;
use std::time::Duration;

use passerelle_journal::Position;
use passerelle_projection::{Fold, Projection};
use passerelle_proto::bus::v1::{LostMessage, Message, PatternLoss, PatternState, pattern_event};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::decide::{Command, Decide};
use super::set::Set;
use super::step::identity;
use crate::delivery::{
    self, Chosen, Delivery, DeliveryParts, DeliveryStatus, GivenUp, LaneLimits, Outcome, Parcel, Plan, Reason, RetryLimits,
};
use crate::keyed::{Carried, Decider as _, Entities, Failure, Keyed, KeyedSettings, Observed, Parts};

/// Messages of one pattern that are decided about at the same time.
const UNDER_WAY: usize = 64;
/// Bytes of messages in memory, for each pattern.
const BYTES: usize = 4 << 20;
/// Keys with something to bury that wait for it. What does not fit is reminded of by its timer.
const TO_BURY: usize = 1_024;
/// Attempts go on: the journal they wait for is the bus's own.
const RETRY: RetryLimits =
    RetryLimits { attempts: u32::MAX, first_wait: Duration::from_millis(50), longest_wait: Duration::from_secs(10) };

/// What patterns stand on.
#[derive(Clone)]
pub struct PatternParts {
    /// What deliveries stand on.
    pub delivery: DeliveryParts,
    /// With the folds of [`Patterns::folds`].
    pub projection: Arc<Projection>,
}

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
    readers: Vec<Reader>,
    /// Ended when dropped.
    _tasks: JoinSet<()>,
}

struct Reader {
    name: String,
    delivery: Arc<Delivery>,
}

/// What a task that works for one pattern has at hand.
struct Desk {
    set: Arc<Set>,
    name: String,
    keyed: Arc<Keyed<Decide>>,
    parts: PatternParts,
}

impl Patterns {
    /// The kind of what they keep.
    pub const KINDS: [&'static str; 1] = [Decide::KIND];

    /// The tables that patterns are listed from.
    #[must_use]
    pub fn folds() -> Vec<Box<dyn Fold>> {
        vec![Box::new(Entities::with_columns(Decide { set: Arc::default() }))]
    }

    /// All of a set, going on where they were (within a tokio runtime). One that is new begins with the oldest record that is kept.
    ///
    /// # Errors
    /// How far one has got cannot be read.
    pub async fn open(set: Set, parts: PatternParts) -> Result<Self, OpenError> {
        let set = Arc::new(set);
        let (to_bury, burying) = mpsc::channel(TO_BURY);
        let observer = move |observed: Observed<'_, Decide>| {
            let is_loss = |event: &pattern_event::Event| matches!(event, pattern_event::Event::Lost(_));
            if observed.events.iter().filter_map(|event| event.event.as_ref()).any(is_loss) {
                // Where there is no room, its timer says it again.
                let _ = to_bury.try_send(observed.key.to_owned());
            }
        };
        let keyed = Parts {
            journal: parts.delivery.journal.clone(),
            projection: parts.projection.clone(),
            clock: parts.delivery.clock.clone(),
        };
        let keyed = Arc::new(Keyed::open(Decide { set: set.clone() }, keyed, KeyedSettings::default(), observer)?);
        let mut tasks = JoinSet::new();
        tasks.spawn(bury_all(keyed.clone(), parts.clone(), burying));
        let mut readers = Vec::new();
        for name in set.names() {
            let opened = Delivery::open(plan(&set, name, &parts), parts.delivery.clone()).await;
            let delivery = opened.map_err(|why| OpenError::Unreadable { name: name.to_owned(), why: why.to_string() })?;
            let delivery = Arc::new(delivery);
            let desk = Desk { set: set.clone(), name: name.to_owned(), keyed: keyed.clone(), parts: parts.clone() };
            tasks.spawn(work(desk, delivery.clone()));
            readers.push(Reader { name: name.to_owned(), delivery });
        }
        Ok(Self { keyed, readers, _tasks: tasks })
    }

    /// How they are at this moment.
    #[must_use]
    pub fn status(&self) -> Vec<PatternStatus> {
        let status = |reader: &Reader| PatternStatus { name: reader.name.clone(), reading: reader.delivery.status() };
        self.readers.iter().map(status).collect()
    }

    /// The oldest record that is still to be read. `None`: there are no patterns.
    #[must_use]
    pub fn oldest(&self) -> Option<Position> {
        self.readers.iter().map(|reader| reader.delivery.oldest()).min()
    }

    /// Carries over what cannot be known without records before `before`. See [`Keyed::keep`].
    ///
    /// # Errors
    /// What the journal says.
    pub async fn keep(&self, before: Position) -> Result<Carried, Failure<super::Refusal>> {
        self.keyed.keep(before).await
    }

    /// Gives up all that a key of a pattern holds.
    ///
    /// # Errors
    /// What the journal says.
    pub async fn purge(&self, key: &str) -> Result<(), Failure<super::Refusal>> {
        self.keyed.command(key, None, Command::Purge).await.map(drop)
    }

    /// Takes no more, and waits until what was taken is decided; whether that was within the grace.
    pub async fn drain(&self, grace: Duration) -> bool {
        let all = self.readers.iter().map(|reader| reader.delivery.drain(grace));
        let ended = futures_util::future::join_all(all).await.into_iter().all(|ended| ended);
        self.keyed.drain(grace).await && ended
    }
}

/// What a pattern reads. No delivery of the settings can have its name.
fn plan(set: &Arc<Set>, name: &str, parts: &PatternParts) -> Plan {
    let (set, pattern, clock) = (set.clone(), name.to_owned(), parts.delivery.clock.clone());
    let choose: delivery::Choose = Box::new(move |message| {
        let declared = set.find(&pattern)?;
        let now = clock.now();
        // What has no key is refused when its turn comes.
        let lane = |key: String| u64::from_str_radix(&identity(&[&key])[..16], 16).unwrap_or_default();
        declared.takes(message, now).then(|| Chosen { lane: declared.key(message, now).ok().map(lane) })
    });
    let lanes = LaneLimits { under_way: UNDER_WAY, ..LaneLimits::default() };
    Plan { name: reads_as(name), choose, lanes, bytes: BYTES, retry: RETRY }
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
        let key = self.set.find(&self.name).map(|declared| declared.key(&message, self.parts.delivery.clock.now()));
        let key = match key {
            Some(Ok(key)) => format!("{}/{key}", self.name),
            Some(Err(why)) => return Outcome::Rejected { why },
            None => return Outcome::Rejected { why: "the pattern is not declared any more".to_owned() },
        };
        let again = if parcel.is_replayed() { parcel.place().to_string() } else { String::new() };
        let idempotency_key = identity(&[&message.source, &message.id, &again]);
        match self.keyed.command(&key, Some(&idempotency_key), Command::Take(message)).await {
            Ok(_) => Outcome::Delivered,
            Err(Failure::Refused(refusal)) => Outcome::Rejected { why: refusal.to_string() },
            Err(failure) => Outcome::Failed { retry_after: None, why: failure.to_string() },
        }
    }
}

/// Makes dead letters of what patterns gave up, key by key.
async fn bury_all(keyed: Arc<Keyed<Decide>>, parts: PatternParts, mut burying: mpsc::Receiver<String>) {
    while let Some(key) = burying.recv().await {
        if let Err(why) = bury(&keyed, &parts, &key).await {
            tracing::warn!(pattern = key.split('/').next(), why, "what a pattern gave up cannot be written down for now");
        }
    }
}

async fn bury(keyed: &Keyed<Decide>, parts: &PatternParts, key: &str) -> Result<(), String> {
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
        let written = parts.delivery.graves.command(&letter, Some("pattern"), command).await;
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
