//! One delivery at work: reads the journal, hands out messages, writes down what became of them.

mod bury;
mod follow;
mod parcel;
mod received;
mod state;
#[cfg(test)]
pub(super) mod tests;
mod write;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use passerelle_journal::{Journal, Position};
use passerelle_projection::Projection;
use passerelle_proto::bus::v1::Message;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use self::parcel::Handed;
pub use self::parcel::Parcel;
use self::state::State;
use super::{Absence, Grave, LaneId, LaneLimits, Ledger, Place, Progress, Receipt, RetryLimits};
use crate::keyed::{Clock, Failure, Keyed};

/// Says whether a message is delivered, and in which lane.
pub type Choose = Box<dyn Fn(&Message) -> Option<Chosen> + Send + Sync>;

/// Says what receipt a message has; `None`: none.
pub type Receive = Box<dyn Fn(&Message) -> Option<Receipt> + Send + Sync>;

/// What is delivered, and how.
pub struct Plan {
    /// Names it, among the deliveries of this bus and in the journal.
    pub name: String,
    /// Which messages, and in which lanes.
    pub choose: Choose,
    /// How much is held in memory and under way.
    pub lanes: LaneLimits,
    /// Bytes of messages in memory. Of what waits beyond, the place alone is held, and it is read again.
    pub bytes: usize,
    /// How failures are answered.
    pub retry: RetryLimits,
    /// How what comes twice is known; `None`: it is delivered twice.
    pub once: Option<Once>,
}

/// How a message is known that was received before.
pub struct Once {
    /// The receipt of a message: one whose receipt is among the last ones is not delivered. `None`: it is like no other.
    pub receipt: Receive,
    /// Receipts that are remembered.
    pub most: usize,
}

/// A message that is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// Its lane; `None`: its order does not matter.
    pub lane: Option<LaneId>,
}

/// What a delivery stands on.
#[derive(Clone)]
pub struct DeliveryParts {
    /// Where messages come from.
    pub journal: Arc<dyn Journal>,
    /// How far the deliveries have got.
    pub ledger: Arc<Keyed<Ledger>>,
    /// What they gave up.
    pub graves: Arc<Keyed<Grave>>,
    /// What they delivered, by a [`ReceiptFold`](super::ReceiptFold).
    pub projection: Arc<Projection>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// One delivery. Dropped, it stops where it stands, as a crash would; [`drain`](Self::drain) ends it well.
pub struct Delivery {
    desk: Arc<Desk>,
    tasks: Mutex<JoinSet<()>>,
}

/// A delivery at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryStatus {
    /// Since when and why its destination is away, if it is.
    pub absence: Option<Absence>,
    /// Messages in memory that are not settled.
    pub waiting: usize,
    /// Those of them that were taken.
    pub under_way: usize,
    /// Lanes that have messages, in memory or in the journal alone.
    pub lanes: usize,
    /// Records that were not read yet.
    pub unread: u64,
    /// The oldest record with a message that was read and is not settled.
    pub oldest: Option<Position>,
    /// What happened since it was opened.
    pub counts: Counts,
}

/// What happened to messages since a delivery was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Delivered.
    pub delivered: u64,
    /// Attempts that failed, or found the destination away.
    pub failed: u64,
    /// Not delivered, because a message with the same key was.
    pub repeated: u64,
    /// Given up.
    pub dead: u64,
}

/// What the tasks and the takers of a delivery share.
struct Desk {
    plan: Plan,
    parts: DeliveryParts,
    state: Mutex<State>,
    /// Something may be taken.
    arrived: Notify,
    /// There is room to read on.
    room: Notify,
    /// Something is to be written down.
    changed: Notify,
    /// How often progress was written down.
    writes: watch::Sender<u64>,
    closing: watch::Sender<bool>,
}

impl Delivery {
    /// Goes on where it was (within a tokio runtime); a new one begins with the oldest record that is kept.
    ///
    /// # Errors
    /// How far it has got cannot be read.
    pub async fn open(plan: Plan, parts: DeliveryParts) -> Result<Self, Failure<std::convert::Infallible>> {
        let known = parts.ledger.state(&plan.name).await?;
        let first = Place::first_of(parts.journal.first().0);
        let progress = known.map_or(Progress { frontier: first, ..Progress::default() }, |(state, _)| Progress::from(&state));
        let state = State::new(&plan, &progress);
        let known = parts.journal.durable().borrow().position;
        let (closing, _) = watch::channel(false);
        let desk = Arc::new(Desk {
            plan,
            parts,
            state: Mutex::new(state),
            arrived: Notify::new(),
            room: Notify::new(),
            changed: Notify::new(),
            writes: watch::Sender::new(0),
            closing,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(received::load(desk.clone(), known));
        tasks.spawn(follow::run(desk.clone()));
        tasks.spawn(write::run(desk.clone()));
        Ok(Self { desk, tasks: Mutex::new(tasks) })
    }

    /// Waits for messages that go now: at least one, at most as many as asked for. Empty when the delivery is being stopped. May be
    /// given up at any time: nothing is lost by it.
    pub async fn take(&self, most: usize) -> Vec<Parcel> {
        let mut closing = self.desk.closing.subscribe();
        loop {
            let arrived = self.desk.arrived.notified();
            let now = Instant::now();
            let (handed, wakes_at) = {
                let mut state = self.desk.state();
                let handed = state.hand_out(most, now);
                (Hand { desk: &self.desk, handed: handed.into() }, state.wakes_at(now))
            };
            if !handed.handed.is_empty() {
                if handed.handed.len() == most {
                    // There may be more, for the next who takes.
                    self.desk.arrived.notify_one();
                }
                let parcels = self.parcels(handed).await;
                if !parcels.is_empty() {
                    return parcels;
                }
                continue;
            }
            let wake = async {
                match wakes_at {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => return Vec::new(),
                () = arrived => {}
                () = wake => {}
            }
        }
    }

    /// How it is at this moment.
    #[must_use]
    pub fn status(&self) -> DeliveryStatus {
        let last = self.desk.parts.journal.durable().borrow().position.0;
        let state = self.desk.state();
        DeliveryStatus {
            absence: state.destination.absence().cloned(),
            waiting: state.lanes.waiting(),
            under_way: state.lanes.under_way(),
            lanes: state.lanes.count(),
            unread: last.saturating_sub(state.lanes.frontier().position.saturating_sub(1)),
            oldest: (state.lanes.count() > 0).then(|| Position(state.lanes.oldest().position)),
            counts: state.counts,
        }
    }

    /// Hands out no more, waits for what is under way as long as the grace, and writes down what became of it.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.desk.closing.send_replace(true);
        self.desk.changed.notify_one();
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let ended = async { while tasks.join_next().await.is_some() {} };
        tokio::time::timeout(grace, ended).await.is_ok()
    }

    /// The oldest record that is still needed.
    #[must_use]
    pub fn oldest(&self) -> Position {
        Position(self.desk.state().lanes.oldest().position)
    }

    /// Messages for what was handed out: those that are not in memory are read, those whose time is over are given up.
    async fn parcels(&self, mut hand: Hand<'_>) -> Vec<Parcel> {
        let now = self.desk.parts.clock.now();
        let mut parcels = Parcels(Vec::with_capacity(hand.handed.len()));
        while let Some(next) = hand.handed.front_mut() {
            let body = match next.body.take() {
                Some(body) => Some(body),
                None => parcel::read(&self.desk, next.sending.place).await,
            };
            let Some(next) = hand.handed.pop_front() else { break };
            let Some(parcel) = Parcel::open(&self.desk, next.sending, body) else { continue };
            if is_over(&parcel.message, now) { parcel.expire() } else { parcels.0.extend(received::admit(&self.desk, parcel)) }
        }
        std::mem::take(&mut parcels.0)
    }
}

/// What was handed out and is not a parcel yet. Whoever takes may give up in between: then it goes back.
struct Hand<'a> {
    desk: &'a Desk,
    handed: VecDeque<Handed>,
}

/// Parcels that nobody has taken yet: they go back, too.
struct Parcels(Vec<Parcel>);

impl Drop for Parcels {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|parcel| parcel.put_back(Instant::now()));
    }
}

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        for handed in self.handed.drain(..) {
            self.desk.put_back(&handed.sending, Instant::now());
        }
    }
}

fn is_over(message: &Message, now: SystemTime) -> bool {
    let deadline = message.deadline.and_then(|deadline| SystemTime::try_from(deadline).ok());
    deadline.is_some_and(|deadline| deadline <= now)
}

impl Desk {
    /// What takes a while after a message is settled; it ends by itself.
    fn later(self: Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(work);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
