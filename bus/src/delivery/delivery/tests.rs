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
use crate::delivery::{Bury, Outcome, ReceiptFold};
use crate::keyed::clock::Manual;
use crate::keyed::{Answers, KeyedSettings, Parts, Timers};

/// A journal that outlives what stands on it.
pub(in crate::delivery) struct World {
    journal: Arc<dyn Journal>,
    clock: Arc<Manual>,
    folder: TempDir,
    lanes: LaneLimits,
    bytes: usize,
    once: bool,
}

/// What stands on it.
pub(in crate::delivery) struct Running {
    delivery: Delivery,
    graves: Arc<Keyed<Grave>>,
    projection: Arc<Projection>,
    journal: Arc<dyn Journal>,
}

impl World {
    pub(in crate::delivery) fn new() -> Self {
        Self {
            journal: Arc::new(Memory::new()),
            clock: Arc::new(Manual::at_seconds(1_000)),
            folder: TempDir::new().unwrap(),
            lanes: LaneLimits::default(),
            bytes: 1 << 20,
            once: false,
        }
    }

    pub(in crate::delivery) async fn start(&self) -> Running {
        let folds: Vec<Box<dyn Fold>> = vec![Box::new(Answers::default()), Box::new(Timers), Box::new(ReceiptFold)];
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
            once: self.once.then(|| Once { receipt: Box::new(|message| message.id.parse().ok()), most: 100 }),
        };
        let (journal, clock) = (self.journal.clone(), self.clock.clone());
        let parts = DeliveryParts { journal, ledger, graves: graves.clone(), projection: projection.clone(), clock };
        Running { delivery: Delivery::open(plan, parts).await.unwrap(), graves, projection, journal: self.journal.clone() }
    }

    pub(in crate::delivery) async fn publish(&self, messages: Vec<Message>) {
        let record = Record { events: messages, ..Record::default() };
        let entry = Entry { data: record.encode_to_vec().into(), step: None, fingerprint: None };
        self.journal.append(vec![entry]).await.unwrap().durable().await.unwrap();
    }
}

impl Running {
    /// Stops without draining.
    pub(in crate::delivery) async fn crash(self) {
        drop(self.delivery);
        drop(self.graves);
        self.projection.close().await;
    }

    pub(in crate::delivery) async fn take(&self) -> Parcel {
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

fn away() -> Outcome {
    Outcome::Unavailable { retry_after: None, is_open: false, why: "connection refused".to_owned() }
}

#[tokio::test]
async fn a_destination_that_is_away_is_asked_by_one_message_and_uses_up_no_attempts() {
    let world = World::new();
    world.publish((0..50).map(|id| message(id, &id.to_string())).collect()).await;
    let running = world.start().await;
    let first = running.take().await;
    first.settle(away());
    for _ in 0..20 {
        let taken = timeout(Duration::from_secs(30), running.delivery.take(50)).await.unwrap();
        assert_eq!(taken.len(), 1, "one finds out");
        assert_eq!(running.delivery.status().absence.unwrap().why, "connection refused");
        for parcel in taken {
            assert_eq!(parcel.attempt(), 1);
            parcel.settle(away());
        }
    }
    running.take().await.settle(Outcome::Delivered);
    assert_eq!(running.delivery.status().absence, None);
    let mut taken = 1;
    while taken < 50 {
        for parcel in running.delivery.take(50).await {
            parcel.settle(Outcome::Delivered);
            taken += 1;
        }
    }
}

#[tokio::test]
async fn a_message_that_drives_its_destination_away_again_and_again_is_given_up() {
    let world = World::new();
    world.publish((0..40).map(|id| message(id, &id.to_string())).collect()).await;
    let running = world.start().await;
    let mut delivered = 0;
    while delivered < 39 || running.delivery.status().counts.dead < 1 {
        let taken = timeout(Duration::from_secs(30), running.delivery.take(1)).await.unwrap();
        for parcel in taken {
            let is_poison = parcel.message.id == "7";
            delivered += u32::from(!is_poison);
            parcel.settle(if is_poison { away() } else { Outcome::Delivered });
            if !is_poison && delivered >= 30 {
                world.publish(vec![message(100, "100")]).await;
            }
        }
    }
    let letter = running.letter("crm/1.7", DeadLetterStatus::Dead).await;
    assert_eq!(letter.failures[0].reason(), DeadLetterReason::Exhausted);
}

#[tokio::test]
async fn what_was_received_is_not_delivered_again_after_a_crash_either() {
    let world = World { once: true, ..World::new() };
    let publish = |range: std::ops::Range<u64>| world.publish(range.map(|id| message(id, &id.to_string())).collect());
    publish(0..20).await;
    let running = world.start().await;
    for _ in 0..20 {
        running.take().await.settle(Outcome::Delivered);
    }
    publish(10..30).await;
    for _ in 20..30 {
        let parcel = running.take().await;
        assert!(parcel.message.id.parse::<u64>().unwrap() >= 20);
        parcel.settle(Outcome::Delivered);
    }
    assert_eq!(running.delivery.status().counts.repeated, 10);
    assert!(running.delivery.drain(Duration::from_secs(10)).await);
    running.crash().await;

    publish(15..31).await;
    let running = world.start().await;
    let last = running.take().await;
    assert_eq!(last.message.id, "30");
    last.settle(Outcome::Delivered);
    assert_eq!(running.delivery.status().counts.repeated, 15);
}

#[tokio::test]
async fn what_may_have_been_received_waits_for_a_person_and_does_not_come_by_itself() {
    let world = World { once: true, ..World::new() };
    world.publish(vec![message(1, "1")]).await;
    let running = world.start().await;
    let mut parcel = running.take().await;
    parcel.begin().await;
    parcel.settle(Outcome::Undecided { why: "the answer was lost".to_owned() });
    running.letter("crm/1.0", DeadLetterStatus::Dead).await;
    world.publish(vec![message(1, "2")]).await;
    world.publish(vec![message(2, "2")]).await;
    let next = running.take().await;
    assert_eq!((next.message.id.as_str(), running.delivery.status().counts.repeated), ("2", 1));
    next.settle(Outcome::Delivered);
    running.graves.command("crm/1.0", None, Bury::Replay).await.unwrap();
    let replayed = running.take().await;
    assert!(replayed.is_replayed(), "a person has decided");
    replayed.settle(Outcome::Delivered);
    running.letter("crm/1.0", DeadLetterStatus::Recovered).await;
}

#[tokio::test]
async fn two_of_one_key_are_never_with_the_destination_together() {
    let world = World { once: true, ..World::new() };
    world.publish(vec![message(7, "1"), message(7, "2"), message(8, "3")]).await;
    let running = world.start().await;
    let (first, other) = (running.take().await, running.take().await);
    assert_eq!((first.message.id.as_str(), other.message.id.as_str()), ("7", "8"));
    first.settle(failed());
    let again = running.take().await;
    assert_eq!(again.message.id, "7");
    again.settle(Outcome::Delivered);
    other.settle(Outcome::Delivered);
    while running.delivery.status().counts.repeated == 0 {
        let _ = timeout(Duration::from_millis(10), running.delivery.take(1)).await;
    }
}

#[tokio::test]
async fn an_attempt_that_was_begun_is_known_after_a_crash() {
    let world = World::new();
    world.publish(vec![message(1, "1"), message(2, "2")]).await;
    let running = world.start().await;
    let (mut first, second) = (running.take().await, running.take().await);
    first.begin().await;
    // A crash leaves no time to say what became of them.
    std::mem::forget((first, second));
    running.crash().await;
    let running = world.start().await;
    for _ in 0..2 {
        let parcel = running.take().await;
        assert_eq!(parcel.was_begun(), parcel.message.id == "1");
        if parcel.was_begun() {
            parcel.settle(Outcome::Undecided { why: "the answer was lost".to_owned() });
        }
    }
    let letter = running.letter("crm/1.0", DeadLetterStatus::Dead).await;
    assert_eq!(letter.failures[0].reason(), DeadLetterReason::Undecided);
    running.graves.command("crm/1.0", None, Bury::Replay).await.unwrap();
    loop {
        let parcel = running.take().await;
        if parcel.is_replayed() {
            assert!(!parcel.was_begun(), "somebody decided that it is to go");
            return;
        }
    }
}
