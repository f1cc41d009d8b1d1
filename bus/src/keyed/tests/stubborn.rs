//! A journal that waits when told to, and refuses by plan.

use std::collections::VecDeque;
use std::sync::{Arc, Barrier, Mutex};

use async_trait::async_trait;
use passerelle_journal::memory::Memory;
use passerelle_journal::{
    Answer, AppendError, Durability, Entry, History, Journal, KeysPage, Outcome, Position, ReadError, Receipt, Stored,
};
use tokio::sync::watch;

/// What is to become of one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Written,
    /// No room, said when it is its turn.
    Full,
    /// No room, said at once.
    FullAtOnce,
    Failed,
    /// Somebody else has written to the key.
    OutOfSequence,
    /// The answer never comes: the journal ends.
    Closed,
}

#[derive(Default)]
pub(super) struct Stubborn {
    memory: Memory,
    inner: Mutex<Inner>,
    /// How many appends wait.
    waiting: watch::Sender<usize>,
    /// History is not given while this is set.
    pub(super) unreadable: Mutex<bool>,
    /// Whoever reads a history waits here for others.
    gathering: Mutex<Option<Arc<Barrier>>>,
}

#[derive(Default)]
struct Inner {
    held: bool,
    queue: VecDeque<(Vec<Entry>, Answer)>,
    plan: VecDeque<Fate>,
}

impl Stubborn {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The next appends meet with this; those after them are written.
    pub(super) fn plan(&self, plan: &[Fate]) {
        self.inner.lock().unwrap().plan.extend(plan);
    }

    /// Appends wait from now on.
    pub(super) fn hold(&self) {
        self.inner.lock().unwrap().held = true;
    }

    /// Those that wait are dealt with, in their order.
    pub(super) async fn release(&self) {
        let queue = {
            let mut inner = self.inner.lock().unwrap();
            inner.held = false;
            std::mem::take(&mut inner.queue)
        };
        self.waiting.send_replace(0);
        for (entries, answer) in queue {
            self.deal(entries, answer).await;
        }
    }

    /// Returns when at least so many appends wait.
    pub(super) async fn held(&self, appends: usize) {
        self.waiting.subscribe().wait_for(|waiting| *waiting >= appends).await.unwrap();
    }

    /// Histories are given to so many at once.
    pub(super) fn gather(&self, readers: usize) {
        *self.gathering.lock().unwrap() = Some(Arc::new(Barrier::new(readers)));
    }

    async fn deal(&self, entries: Vec<Entry>, answer: Answer) {
        let fate = self.inner.lock().unwrap().plan.pop_front().unwrap_or(Fate::Written);
        let outcome = match fate {
            Fate::Written => self.memory.append(entries).await.unwrap().durable().await,
            Fate::Full | Fate::FullAtOnce => Err(AppendError::Full("by plan".to_owned())),
            Fate::Failed => Err(AppendError::Failed("by plan".into())),
            Fate::OutOfSequence => Ok(vec![Outcome::OutOfSequence { last: 7 }; entries.len()]),
            Fate::Closed => return,
        };
        let _ = answer.send(outcome);
    }
}

#[async_trait]
impl Journal for Stubborn {
    async fn append(&self, entries: Vec<Entry>) -> Result<Receipt, AppendError> {
        let (answer, receipt) = Receipt::open();
        {
            let mut inner = self.inner.lock().unwrap();
            if inner.held {
                inner.queue.push_back((entries, answer));
                self.waiting.send_replace(inner.queue.len());
                return Ok(receipt);
            }
            if inner.plan.front() == Some(&Fate::FullAtOnce) {
                inner.plan.pop_front();
                return Err(AppendError::Full("by plan".to_owned()));
            }
        }
        self.deal(entries, answer).await;
        Ok(receipt)
    }

    fn read(&self, from: Position, bytes: usize) -> Result<Vec<Stored>, ReadError> {
        self.memory.read(from, bytes)
    }

    fn durable(&self) -> watch::Receiver<Durability> {
        self.memory.durable()
    }

    fn decided(&self) -> watch::Receiver<Durability> {
        self.memory.decided()
    }

    fn first(&self) -> Position {
        self.memory.first()
    }

    fn history(&self, key: &str) -> Result<History, ReadError> {
        if *self.unreadable.lock().unwrap() {
            return Err(ReadError::Disk("by plan".to_owned()));
        }
        let gathering = self.gathering.lock().unwrap().clone();
        if let Some(gathering) = gathering {
            gathering.wait();
        }
        self.memory.history(key)
    }

    fn keys(&self, from: Position, before: Position) -> Result<KeysPage, ReadError> {
        self.memory.keys(from, before)
    }

    async fn trim(&self, position: Position) -> Result<Position, AppendError> {
        self.memory.trim(position).await
    }
}
