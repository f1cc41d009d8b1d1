//! One message in the hands of whoever delivers it.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_journal::Position;
use passerelle_proto::bus::v1::Message;

use super::Desk;
use super::bury::{self, Loss};
use super::follow::messages;
use crate::delivery::{Outcome, Place, Reason, Receipt, Sending, Settlement, Verdict};

/// A destination that is away is asked so often at least: one message asks for all, so that costs little, and much waits behind it.
const LONGEST_ABSENCE: Duration = Duration::from_secs(15);

/// A message in memory.
pub(super) struct Body {
    pub(super) message: Message,
    /// The dead letter that it is, sent again.
    pub(super) letter: Option<Arc<str>>,
    /// Bytes that it takes.
    pub(super) size: usize,
}

/// What the lanes gave out.
pub(super) struct Handed {
    pub(super) sending: Sending,
    /// Unless it has to be read.
    pub(super) body: Option<Body>,
}

/// A message that is to be delivered now. Dropped without being settled, it counts as failed, and comes again; where its attempt was
/// [begun](Self::begin), what became of it is not known.
pub struct Parcel {
    /// What was published.
    pub message: Message,
    desk: Arc<Desk>,
    sending: Sending,
    letter: Option<Arc<str>>,
    /// Where it is to be received once.
    pub(super) receipt: Option<Receipt>,
    is_begun: bool,
    is_settled: bool,
}

impl Parcel {
    /// `None`: its message cannot be read now; it comes again.
    pub(super) fn open(desk: &Arc<Desk>, sending: Sending, body: Option<Body>) -> Option<Self> {
        let Some(Body { message, letter, .. }) = body else {
            let at = Instant::now() + desk.plan.retry.longest_wait;
            desk.put_back(&sending, at);
            return None;
        };
        Some(Self { message, desk: desk.clone(), sending, letter, receipt: None, is_begun: false, is_settled: false })
    }

    /// Where the message is in the journal.
    #[must_use]
    pub fn place(&self) -> Place {
        self.sending.place
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.sending.attempt
    }

    /// Whether it is a dead letter that is sent again.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.letter.is_some()
    }

    /// Whether an attempt was begun before of which nobody knows what became of it.
    #[must_use]
    pub fn was_begun(&self) -> bool {
        self.sending.was_begun
    }

    /// Has it written down that this attempt begins; returns when that is durable. For destinations that must not be given a message twice:
    /// after a crash [`was_begun`](Self::was_begun) tells of it.
    pub async fn begin(&mut self) {
        self.is_begun = true;
        let mut writes = self.desk.writes.subscribe();
        let next = {
            let mut state = self.desk.state();
            state.lanes.begin(&self.sending);
            state.writes + 1
        };
        self.desk.changed.notify_one();
        // The sender lives as long as the desk, which this parcel holds.
        let _ = writes.wait_for(|writes| *writes >= next).await;
    }

    /// Says what became of it.
    pub fn settle(mut self, outcome: Outcome) {
        self.judge(outcome);
    }

    /// Gives it up, because its time is over.
    pub(super) fn expire(mut self) {
        self.is_settled = true;
        self.desk.state().destination.nobody_went();
        let why = "its deadline passed before it was delivered".to_owned();
        self.bury(Reason::Expired, why);
    }

    /// It does not go now, and nobody was asked.
    pub(super) fn put_back(mut self, at: Instant) {
        self.is_settled = true;
        let body = Body::new(mem::take(&mut self.message), self.letter.take());
        self.desk.state().keep(self.sending.place, body, self.desk.plan.bytes);
        self.desk.receive(self.receipt, false);
        self.desk.put_back(&self.sending, at);
    }

    /// It need not go, and nobody was asked.
    pub(super) fn pass_over(mut self) {
        self.is_settled = true;
        self.desk.state().destination.nobody_went();
        self.desk.finish(&self.sending, Settlement::Done);
    }

    fn judge(&mut self, outcome: Outcome) {
        self.is_settled = true;
        let (retry, now) = (self.desk.plan.retry, Instant::now());
        let mut is_first_to_miss = false;
        {
            let state = &mut *self.desk.state();
            match outcome {
                Outcome::Delivered => state.counts.delivered += 1,
                _ => state.counts.failed += 1,
            }
            match &outcome {
                Outcome::Unavailable { retry_after, why, .. } => {
                    let wait = |failures| match retry_after {
                        Some(asked) => (*asked).min(retry.longest_wait),
                        None => retry.wait(failures, fastrand::f64()).min(LONGEST_ABSENCE),
                    };
                    is_first_to_miss = state.destination.missed(now, why, wait);
                    if is_first_to_miss {
                        tracing::warn!(delivery = self.desk.plan.name, why, "the destination is away; its messages wait");
                    }
                }
                _ if state.destination.answered() => {
                    tracing::info!(delivery = self.desk.plan.name, "the destination is back");
                }
                _ => {}
            }
        }
        match retry.verdict(outcome, self.sending.attempt, is_first_to_miss, fastrand::f64()) {
            Verdict::Done => {
                self.desk.receive(self.receipt, true);
                match self.letter.take() {
                    Some(letter) => self.desk.clone().later(bury::recovered(self.desk.clone(), letter, self.sending)),
                    None => self.desk.finish(&self.sending, Settlement::Done),
                }
            }
            Verdict::Again { after, counts, is_open } => {
                self.desk.receive(self.receipt, false);
                let body = Body::new(mem::take(&mut self.message), self.letter.take());
                self.desk.state().keep(self.sending.place, body, self.desk.plan.bytes);
                self.desk.finish(&self.sending, Settlement::Again { at: now + after, counts, is_open });
            }
            Verdict::Dead { reason, why } => self.bury(reason, why),
        }
    }

    fn bury(&mut self, reason: Reason, why: String) {
        self.desk.state().counts.dead += 1;
        let (message, letter) = (mem::take(&mut self.message), self.letter.take());
        let loss = Loss { sending: self.sending, letter, receipt: self.receipt, message, reason, why };
        self.desk.clone().later(bury::given_up(self.desk.clone(), loss));
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if !self.is_settled {
            let why = "whoever took it went away before saying what became of it".to_owned();
            self.judge(if self.is_begun { Outcome::Undecided { why } } else { Outcome::Failed { retry_after: None, why } });
        }
    }
}

impl Desk {
    /// What became of a message, for its lane; wakes whoever waits for that.
    pub(super) fn finish(&self, sending: &Sending, settlement: Settlement) {
        self.state().lanes.settle(sending, settlement);
        self.arrived.notify_one();
        self.room.notify_one();
        self.changed.notify_one();
    }

    /// A message is with the destination no more; whether it is to be held as received.
    pub(super) fn receive(&self, receipt: Option<Receipt>, is_received: bool) {
        if let (Some(receipts), Some(receipt)) = (&mut self.state().receipts, receipt) {
            receipts.settle(receipt, is_received);
        }
    }

    /// A message does not go after all. What was known of it stays.
    pub(super) fn put_back(&self, sending: &Sending, at: Instant) {
        self.state().destination.nobody_went();
        self.finish(sending, Settlement::Again { at, counts: false, is_open: true });
    }
}

/// The message at a place, from the journal.
pub(super) async fn read(desk: &Arc<Desk>, place: Place) -> Option<Body> {
    let reading = desk.clone();
    let records = tokio::task::spawn_blocking(move || reading.parts.journal.read(Position(place.position), 1)).await;
    let found = match records {
        Ok(Ok(records)) => messages(desk, records.into_iter().next()?).await,
        Ok(Err(error)) => {
            tracing::error!(delivery = desk.plan.name, %error, "a message that is to be delivered cannot be read");
            return None;
        }
        Err(_) => return None,
    };
    found.into_iter().find(|read| read.waiting.place == place).map(|read| read.body)
}
