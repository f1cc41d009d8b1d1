//! A crash at every step between journal, send, effect, answer and record, and a full disk: every message has its effect once.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use passerelle_journal::{AppendError, Durability, History, KeysPage, ReadError, Receipt, Stored};
use tokio::sync::{Notify, watch};

use super::*;

const MESSAGES: u64 = 9;
/// Of message 4, which is refused until somebody has had a look: the second of the second record.
const LETTER: &str = "crm/2.1";

/// The steps of one process: what goes wrong after how many.
struct Steps {
    passed: AtomicUsize,
    crash_at: usize,
    crashed: Notify,
    appends: AtomicUsize,
    /// Appends for which there is no room.
    full: Range<usize>,
}

impl Steps {
    fn new(crash_at: usize, full: Range<usize>) -> Arc<Self> {
        let (passed, appends) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { passed, crash_at, crashed: Notify::new(), appends, full })
    }

    /// Does not return where the crash comes, nor ever after it.
    async fn pass(&self) {
        if self.passed.fetch_add(1, Ordering::SeqCst) >= self.crash_at {
            self.crashed.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// A journal of a process that may crash before and after each of its writes. What is written is there for the next one.
struct Fragile {
    journal: Arc<dyn Journal>,
    steps: Arc<Steps>,
}

#[async_trait]
impl Journal for Fragile {
    async fn append(&self, entries: Vec<Entry>) -> Result<Receipt, AppendError> {
        self.steps.pass().await;
        if self.steps.full.contains(&self.steps.appends.fetch_add(1, Ordering::SeqCst)) {
            return Err(AppendError::Full("by plan".to_owned()));
        }
        let receipt = self.journal.append(entries).await?;
        self.steps.pass().await;
        Ok(receipt)
    }

    fn read(&self, from: Position, bytes: usize) -> Result<Vec<Stored>, ReadError> {
        self.journal.read(from, bytes)
    }

    fn durable(&self) -> watch::Receiver<Durability> {
        self.journal.durable()
    }

    fn decided(&self) -> watch::Receiver<Durability> {
        self.journal.decided()
    }

    fn first(&self) -> Position {
        self.journal.first()
    }

    fn history(&self, key: &str) -> Result<History, ReadError> {
        self.journal.history(key)
    }

    fn keys(&self, from: Position, before: Position) -> Result<KeysPage, ReadError> {
        self.journal.keys(from, before)
    }

    async fn trim(&self, position: Position) -> Result<Position, AppendError> {
        self.journal.trim(position).await
    }
}

/// What stands behind a destination: knows the ids that it has seen, and does not crash with the bus.
#[derive(Default)]
struct BackOffice {
    /// Effects of each customer, in their order.
    effects: BTreeMap<String, Vec<String>>,
    /// How often each message came.
    sent: BTreeMap<String, usize>,
    is_mended: bool,
}

impl BackOffice {
    /// Message 3 fails the first time.
    fn serve(&mut self, message: &Message) -> Outcome {
        let sent = self.sent.entry(message.id.clone()).or_default();
        *sent += 1;
        match message.id.as_str() {
            "3" if *sent == 1 => return failed(),
            "4" if !self.is_mended => return rejected(),
            _ => {}
        }
        let effects = self.effects.entry(message.customer.clone()).or_default();
        if !effects.contains(&message.id) {
            effects.push(message.id.clone());
        }
        Outcome::Delivered
    }

    fn is_done(&self) -> bool {
        self.effects.values().map(Vec::len).sum::<usize>() as u64 == MESSAGES
    }

    fn check(&self, crashes: usize, at: &str) {
        let effects = |customer: &str| self.effects[customer].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(effects("0"), ["0", "3", "6"], "{at}");
        assert_eq!(effects("2"), ["2", "5", "8"], "{at}");
        // A dead letter is overtaken: that is what giving it up means.
        let mut second = effects("1");
        second.retain(|id| *id != "4");
        assert_eq!(second, ["1", "7"], "{at}");
        for (id, sent) in &self.sent {
            let usual = if id == "3" || id == "4" { 2 } else { 1 };
            assert!((usual..=usual + crashes).contains(sent), "{at}: message {id} came {sent} times");
        }
    }
}

/// One process, until all is done.
async fn live(running: &Running, steps: &Steps, office: &mut BackOffice) {
    let mut durable = running.journal.durable();
    loop {
        durable.borrow_and_update();
        let letter = running.graves.state(LETTER).await.unwrap();
        match letter.map(|(letter, _)| letter.status()) {
            Some(DeadLetterStatus::Dead) => {
                steps.pass().await;
                office.is_mended = true;
                running.graves.command(LETTER, None, Bury::Replay).await.unwrap();
                steps.pass().await;
            }
            Some(DeadLetterStatus::Recovered) if office.is_done() => break,
            _ => tokio::select! {
                parcel = running.take() => {
                    steps.pass().await;
                    let outcome = office.serve(&parcel.message);
                    steps.pass().await;
                    parcel.settle(outcome);
                    steps.pass().await;
                }
                changed = durable.changed() => changed.unwrap(),
            },
        }
    }
    assert!(running.delivery.drain(Duration::from_secs(30)).await);
}

/// Runs processes one after the other, each crashing at its step, and then one that does not; how many crashed.
async fn lives(crashes: &[usize], full: Range<usize>) -> usize {
    let mut world = World::new();
    for first in (0..MESSAGES).step_by(3) {
        world.publish((first..first + 3).map(|id| message(id, &(id % 3).to_string())).collect()).await;
    }
    let journal = world.journal.clone();
    let (mut office, mut crashed) = (BackOffice::default(), 0);
    for &crash_at in crashes.iter().chain(&[usize::MAX]) {
        let steps = Steps::new(crash_at, full.clone());
        world.journal = Arc::new(Fragile { journal: journal.clone(), steps: steps.clone() });
        let running = world.start().await;
        tokio::select! {
            () = live(&running, &steps, &mut office) => {}
            () = steps.crashed.notified() => crashed += 1,
        }
        running.crash().await;
    }
    office.check(crashed, &format!("crashes at {crashes:?}"));
    crashed
}

#[tokio::test]
async fn a_crash_at_any_step_loses_nothing_and_has_no_effect_twice() {
    let mut steps = 0;
    while lives(&[steps], 0..0).await == 1 {
        steps += 1;
    }
    assert!(steps > 40, "only {steps} steps were crashed at");
    eprintln!("crashed at each of {steps} steps");
}

#[tokio::test]
async fn crashes_while_recovering_from_a_crash_lose_nothing_either() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..60 {
        let crashes: Vec<usize> = (0..random.usize(2..5)).map(|_| random.usize(0..30)).collect();
        lives(&crashes, 0..0).await;
    }
}

#[tokio::test]
async fn a_full_disk_holds_up_what_is_written_down_and_loses_nothing() {
    assert_eq!(lives(&[], 1..3).await, 0);
}
