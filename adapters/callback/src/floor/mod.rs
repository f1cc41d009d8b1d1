//! The floor: who sits where, who has which call. One lock, held for a moment, never while waiting.

mod offer;
mod seat;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use passerelle_adapter::Fault;
use passerelle_proto::backoffice::callback::v1::sit_response::What;
use passerelle_proto::backoffice::callback::v1::{Call, Outcome, Withdrawn};
use tokio::sync::mpsc;

use crate::file::Limits;
use crate::wire::WAITING;

/// What happens to a call, for the stream that placed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToCall {
    /// It is offered to this adviser.
    Ringing(String),
    /// He takes it.
    Accepted(String),
    /// He has called.
    Ended(Outcome, String),
}

/// What happens at a seat, for the stream of the adviser.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ToSeat {
    /// Shown to him.
    Show(What),
    /// The stream ends, because of this.
    End(Fault),
}

/// Handed to a stream: names its call or its seat, and not one that has taken its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// The callback's id, or the adviser's name.
    pub(crate) name: String,
    number: u64,
}

/// Advisers and calls.
#[derive(Debug, Clone)]
pub(crate) struct Floor(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// For logs.
    endpoint: String,
    limits: Limits,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By the adviser's name.
    seats: BTreeMap<String, Seat>,
    /// By the callback's id.
    calls: BTreeMap<String, Placed>,
    /// Calls that wait for an adviser: line and id, by their number.
    waiting: BTreeMap<u64, String>,
    /// Seats without a call, by the number that they got when they became free.
    free: BTreeMap<u64, String>,
    last_number: u64,
    closed: bool,
    offer_seconds: u32,
}

#[derive(Debug)]
struct Seat {
    number: u64,
    /// None: all.
    lines: BTreeSet<String>,
    out: mpsc::Sender<ToSeat>,
    /// The call that it has, by the callback's id.
    call: Option<String>,
    /// Its place among the free ones.
    free: u64,
}

#[derive(Debug)]
struct Placed {
    number: u64,
    call: Call,
    phase: Phase,
    out: mpsc::Sender<ToCall>,
    /// Who has been asked already.
    asked: BTreeSet<String>,
    /// Why it was declined last.
    declined: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Waiting,
    Offered(String),
    /// Waits until that is on disk.
    Accepted(String),
    /// The adviser has it, here or (by what is on disk) as soon as he sits down.
    Connected(String),
    /// Waits until that is on disk.
    Reported(String),
}

impl Floor {
    pub(crate) fn new(endpoint: String, limits: Limits) -> Self {
        let inner = Inner { offer_seconds: limits.offer_seconds, ..Inner::default() };
        Self(Arc::new(Shared { endpoint, limits, inner: Mutex::new(inner) }))
    }

    /// How long one adviser is asked.
    pub(crate) fn offer(&self) -> Duration {
        self.0.limits.offer()
    }

    /// How many sit.
    pub(crate) fn advisers(&self) -> usize {
        self.inner().seats.len()
    }

    /// Ends all streams and takes no more.
    pub(crate) fn close(&self) {
        let mut inner = self.inner();
        inner.closed = true;
        for seat in inner.seats.values() {
            let _ = seat.out.try_send(ToSeat::End(Fault::unavailable("the desk closes; sit down again in a moment")));
        }
        inner.seats.clear();
        inner.free.clear();
        // Their streams end with that.
        inner.calls.clear();
        inner.waiting.clear();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn endpoint(&self) -> &str {
        &self.0.endpoint
    }
}

impl Inner {
    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn open(&self) -> Result<(), Fault> {
        if self.closed { Err(Fault::unavailable("the desk is closed")) } else { Ok(()) }
    }

    /// Shows something to an adviser. One who does not read along is taken for gone.
    fn show(&mut self, adviser: &str, what: What) -> bool {
        let Some(seat) = self.seats.get(adviser) else { return false };
        seat.out.try_send(ToSeat::Show(what)).is_ok()
    }

    /// The seat has no call any more, and waits for the next one.
    fn set_free(&mut self, adviser: &str) {
        let number = self.next_number();
        let Some(seat) = self.seats.get_mut(adviser) else { return };
        seat.call = None;
        self.free.remove(&seat.free);
        seat.free = number;
        self.free.insert(number, adviser.to_owned());
    }

    /// The seat has this call.
    fn occupy(&mut self, adviser: &str, callback_id: &str) {
        if let Some(seat) = self.seats.get_mut(adviser) {
            seat.call = Some(callback_id.to_owned());
            self.free.remove(&seat.free);
        }
    }

    /// Takes the call away from whoever has it on his screen.
    fn take_away(&mut self, adviser: &str, callback_id: &str, reason: &str) {
        let has = self.seats.get(adviser).is_some_and(|seat| seat.call.as_deref() == Some(callback_id));
        if has {
            let withdrawn = Withdrawn { callback_id: callback_id.to_owned(), reason: reason.to_owned() };
            self.show(adviser, What::Withdrawn(withdrawn));
            self.set_free(adviser);
        }
    }
}

impl Phase {
    /// Who has it, be it only as an offer.
    fn adviser(&self) -> Option<&str> {
        match self {
            Self::Waiting => None,
            Self::Offered(adviser) | Self::Accepted(adviser) | Self::Connected(adviser) | Self::Reported(adviser) => {
                Some(adviser)
            }
        }
    }
}

/// A channel to a stream.
fn channel<T>() -> (mpsc::Sender<T>, mpsc::Receiver<T>) {
    mpsc::channel(WAITING)
}
