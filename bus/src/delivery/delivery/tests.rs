//! A delivery over a journal in memory, crashed and started again.

mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use passerelle_journal::memory::Memory;
use passerelle_journal::{Entry, Journal, Position};
use passerelle_projection::{Fold, Projection, Settings};
use passerelle_proto::bus::v1::{DeadLetterReason, DeadLetterState, DeadLetterStatus, Message, Record};
use prost::Message as _;
use tempfile::TempDir;
use tokio::time::timeout;

use super::*;
use crate::delivery::{Bury, Outcome};
use crate::keyed::clock::Manual;
use crate::keyed::{Answers, KeyedSettings, Parts, Timers};

/// A journal that outlives what stands on it.
struct World {
    journal: Arc<dyn Journal>,
    clock: Arc<Manual>,
    folder: TempDir,
    lanes: LaneLimits,
    bytes: usize,
}

/// What stands on it.
struct Running {
    delivery: Delivery,
    graves: Arc<Keyed<Grave>>,
    projection: Arc<Projection>,
    journal: Arc<dyn Journal>,
}

impl World {
    fn new() -> Self {
        Self {
            journal: Arc::new(Memory::new()),
            clock: Arc::new(Manual::at_seconds(1_000)),
            folder: TempDir::new().unwrap(),
            lanes: LaneLimits::default(),
            bytes: 1 << 20,
        }
    }

    async fn start(&self) -> Running {
        let folds: Vec<Box<dyn Fold>> = vec![Box::new(Answers::default()), Box::new(Timers)];
        let path = self.folder.path().join("views.sqlite");
        let projection = Arc::new(Projection::open(&path, folds, self.journal.clone(), Settings::default()).unwrap());
        let parts = || Parts { journal: self.journal.clone(), projection: projection.clone(), clock: self.clock.clone() };
        let ledger = Arc::new(Keyed::open(Ledger, parts(), KeyedSettings::default(), |_| {}).unwrap());
        let graves = Arc::new(Keyed::open(Grave, parts(), KeyedSettings::default(), |_| {}).unwrap());
        let plan = Plan {
            name: "crm".to_owned(),
            choose: Box::new(|message| (message.r#type != "other").then(|| Chosen { lane: lane(message) })),
            lanes: self.lanes,
            bytes: self.bytes,
            retry: RetryLimits { attempts: 4, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(4) },
        };
        let (journal, clock) = (self.journal.clone(), self.clock.clone());
        let parts = DeliveryParts { journal, ledger, graves: graves.clone(), clock };
        Running { delivery: Delivery::open(plan, parts).await.unwrap(), graves, projection, journal: self.journal.clone() }
    }

    async fn publish(&self, messages: Vec<Message>) {
        let record = Record { events: messages, ..Record::default() };
        let entry = Entry { data: record.encode_to_vec().into(), step: None, fingerprint: None };
        self.journal.append(vec![entry]).await.unwrap().durable().await.unwrap();
    }
}

impl Running {
    /// Stops without draining.
    async fn crash(self) {
        drop(self.delivery);
        drop(self.graves);
        self.projection.close().await;
    }

    async fn take(&self) -> Parcel {
        let taken = timeout(Duration::from_secs(30), self.delivery.take(1)).await.expect("a message comes");
        taken.into_iter().next().expect("the delivery goes on")
    }

    /// Waits until a letter is what it should be.
    async fn letter(&self, key: &str, status: DeadLetterStatus) -> DeadLetterState {
        let mut durable = self.journal.durable();
        loop {
            durable.borrow_and_update();
            if let Some((letter, _)) = self.graves.state(key).await.unwrap()
                && letter.status() == status
            {
                return letter;
            }
            let written = timeout(Duration::from_secs(30), durable.changed()).await;
            written.unwrap_or_else(|_| panic!("the letter {key} never becomes {status:?}")).unwrap();
        }
    }
}

fn lane(message: &Message) -> Option<LaneId> {
    message.customer.parse().ok()
}

fn message(id: u64, customer: &str) -> Message {
    Message { id: id.to_string(), customer: customer.to_owned(), ..Message::default() }
}

fn failed() -> Outcome {
    Outcome::Failed { retry_after: None, why: "INTERNAL".to_owned() }
}

fn rejected() -> Outcome {
    Outcome::Rejected { why: "INVALID_ARGUMENT".to_owned() }
}

/// The order of each customer is kept over failures, full lanes and crashes; nothing is lost, and only a crash repeats what was delivered.
#[tokio::test]
async fn nothing_is_lost_and_nothing_overtakes() {
    const MESSAGES: u64 = 1_500;
    let mut world = World::new();
    world.lanes = LaneLimits { under_way: 8, waiting: 200, waiting_of_one: 10 };
    // Most messages have to be read again.
    world.bytes = 4_000;
    let mut random = fastrand::Rng::with_seed(7);
    let mut of_customer: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut ids = (0..MESSAGES).peekable();
    while ids.peek().is_some() {
        let messages: Vec<Message> = ids
            .by_ref()
            .take(random.usize(1..4))
            .map(|id| {
                let customer = random.u64(0..20).min(random.u64(0..20)).to_string();
                of_customer.entry(customer.clone()).or_default().push(id.to_string());
                message(id, &customer)
            })
            .collect();
        world.publish(messages).await;
        world.publish(vec![Message { r#type: "other".to_owned(), ..Message::default() }]).await;
    }
    let (mut delivered, mut repeated) = (BTreeSet::new(), 0);
    let mut running = world.start().await;
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    let mut in_hand: Vec<Parcel> = Vec::new();
    while (delivered.len() as u64) < MESSAGES {
        if in_hand.len() < 4 {
            in_hand.push(running.take().await);
        }
        let parcel = in_hand.swap_remove(random.usize(0..in_hand.len()));
        if random.u32(0..10) == 0 && parcel.attempt() < 4 {
            parcel.settle(failed());
        } else {
            let customer = parcel.message.customer.clone();
            let at = of_customer[&customer].iter().position(|id| *id == parcel.message.id).unwrap();
            let before = last.insert(customer.clone(), at);
            let next = before.map_or(0, |before| before + 1);
            assert!(at <= next, "of {customer} came number {at} before number {next}");
            repeated += usize::from(!delivered.insert(parcel.message.id.clone()));
            parcel.settle(Outcome::Delivered);
        }
        if random.u32(0..400) == 0 {
            in_hand.clear();
            running.crash().await;
            running = world.start().await;
        }
    }
    assert!(running.delivery.drain(Duration::from_secs(10)).await);
    assert!(repeated < 200, "{repeated} messages came again, more than crashes explain");
    let oldest = running.delivery.oldest();
    assert!(oldest > Position(MESSAGES / 3), "all is settled, but {oldest} is still said to be needed");
}

#[tokio::test]
async fn what_is_refused_is_a_dead_letter_that_can_be_sent_again() {
    let world = World::new();
    world.publish(vec![message(1, "7"), message(2, "7")]).await;
    let running = world.start().await;
    running.take().await.settle(rejected());
    let next = running.take().await;
    assert_eq!(next.message.id, "2", "the lane goes on");
    next.settle(Outcome::Delivered);
    let letter = running.letter("crm/1.0", DeadLetterStatus::Dead).await;
    assert_eq!(letter.message.unwrap().id, "1");
    assert_eq!(letter.failures[0].reason(), DeadLetterReason::Rejected);
    assert_eq!((letter.failures[0].why.as_str(), letter.failures[0].attempts), ("INVALID_ARGUMENT", 1));

    running.graves.command("crm/1.0", None, Bury::Replay).await.unwrap();
    let again = running.take().await;
    assert_eq!(again.message.id, "1");
    drop(again);
    running.crash().await;
    // It is known after a crash, and fails once more.
    let running = world.start().await;
    running.take().await.settle(rejected());
    let letter = running.letter("crm/1.0", DeadLetterStatus::Dead).await;
    assert_eq!(letter.failures.len(), 2);

    running.graves.command("crm/1.0", None, Bury::Replay).await.unwrap();
    running.take().await.settle(Outcome::Delivered);
    running.letter("crm/1.0", DeadLetterStatus::Recovered).await;
    assert!(running.delivery.drain(Duration::from_secs(10)).await);
}

#[tokio::test]
async fn what_fails_too_often_or_comes_too_late_is_given_up() {
    let world = World::new();
    let late = Message { deadline: Some(SystemTime::UNIX_EPOCH.into()), ..message(2, "8") };
    world.publish(vec![message(1, "7"), late]).await;
    let running = world.start().await;
    for attempt in 1..=4 {
        let parcel = running.take().await;
        assert_eq!((parcel.message.id.as_str(), parcel.attempt()), ("1", attempt));
        if attempt == 2 {
            drop(parcel);
        } else {
            parcel.settle(failed());
        }
    }
    let exhausted = running.letter("crm/1.0", DeadLetterStatus::Dead).await;
    assert_eq!((exhausted.failures[0].reason(), exhausted.failures[0].attempts), (DeadLetterReason::Exhausted, 4));
    let expired = running.letter("crm/1.1", DeadLetterStatus::Dead).await;
    assert_eq!(expired.failures[0].reason(), DeadLetterReason::Expired);
}
