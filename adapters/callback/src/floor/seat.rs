//! Seats on the floor: an adviser sits down, takes or declines what is offered, reports, and leaves.

use std::collections::BTreeSet;

use passerelle_adapter::{Fault, Rejection};
use passerelle_proto::backoffice::callback::v1::sit_response::What;
use passerelle_proto::backoffice::callback::v1::{Outcome, Seated, Withdrawn};
use tokio::sync::mpsc;

use super::{Floor, Inner, Phase, Seat, Ticket, ToCall, ToSeat, channel};

impl Floor {
    /// An adviser sits down. A seat of the same name is taken over.
    pub(crate) fn sit(&self, adviser: String, lines: BTreeSet<String>) -> Result<(Ticket, mpsc::Receiver<ToSeat>), Fault> {
        let mut inner = self.inner();
        inner.open()?;
        if let Some(seat) = inner.seats.get(&adviser) {
            let elsewhere = Fault::rejected(Rejection::Conflict, "you sat down elsewhere");
            let _ = seat.out.try_send(ToSeat::End(elsewhere));
            inner.leave(&adviser);
        }
        if inner.seats.len() >= self.0.limits.seats as usize {
            let message = format!("every seat is taken, {} of them (limits.seats)", inner.seats.len());
            return Err(Fault::Throttled { retry_after: self.offer(), message });
        }
        let (out, events) = channel();
        let number = inner.next_number();
        let seated = Seated { adviser: adviser.clone(), lines: lines.iter().cloned().collect() };
        inner.seats.insert(adviser.clone(), Seat { number, lines, out, call: None, free: 0 });
        inner.set_free(&adviser);
        inner.show(&adviser, What::Seated(seated));
        inner.resume(&adviser);
        inner.dispatch();
        tracing::debug!(endpoint = self.endpoint(), seats = inner.seats.len(), "an adviser sat down");
        Ok((Ticket { name: adviser, number }, events))
    }

    /// He takes the call.
    pub(crate) fn accept(&self, seat: &Ticket, id: &str) {
        let mut inner = self.inner();
        if !inner.sits(seat) {
            return;
        }
        if !inner.is(id, &Phase::Offered(seat.name.clone())) {
            return inner.not_yours(seat, id);
        }
        inner.set_phase(id, Phase::Accepted(seat.name.clone()));
        inner.tell(id, ToCall::Accepted(seat.name.clone()));
    }

    /// He does not take it.
    pub(crate) fn decline(&self, seat: &Ticket, id: &str, reason: &str) {
        let mut inner = self.inner();
        if !inner.sits(seat) {
            return;
        }
        if !inner.is(id, &Phase::Offered(seat.name.clone())) {
            return inner.not_yours(seat, id);
        }
        if let Some(placed) = inner.calls.get_mut(id) {
            placed.declined = reason.to_owned();
        }
        inner.set_free(&seat.name);
        inner.back_to_waiting(id);
        inner.dispatch();
    }

    /// He has called.
    pub(crate) fn report(&self, seat: &Ticket, id: &str, outcome: Outcome, note: String) {
        let mut inner = self.inner();
        if !inner.sits(seat) {
            return;
        }
        if !inner.is(id, &Phase::Connected(seat.name.clone())) {
            return inner.not_yours(seat, id);
        }
        inner.set_phase(id, Phase::Reported(seat.name.clone()));
        inner.tell(id, ToCall::Ended(outcome, note));
    }

    /// He leaves, or his stream is gone.
    pub(crate) fn leave(&self, seat: &Ticket) {
        let mut inner = self.inner();
        if inner.sits(seat) {
            inner.leave(&seat.name);
            inner.dispatch();
            tracing::debug!(endpoint = self.endpoint(), seats = inner.seats.len(), "an adviser left");
        }
    }
}

impl Inner {
    fn sits(&self, seat: &Ticket) -> bool {
        self.seats.get(&seat.name).is_some_and(|sitting| sitting.number == seat.number)
    }

    fn is(&self, id: &str, phase: &Phase) -> bool {
        self.calls.get(id).is_some_and(|placed| placed.phase == *phase)
    }

    fn not_yours(&mut self, seat: &Ticket, id: &str) {
        let reason = "this is not with you, or not at this point".to_owned();
        self.show(&seat.name, What::Withdrawn(Withdrawn { callback_id: id.to_owned(), reason }));
    }

    fn tell(&mut self, id: &str, what: ToCall) {
        let heard = self.calls.get(id).is_some_and(|placed| placed.out.try_send(what).is_ok());
        if !heard {
            self.remove(id, "the bus has lost the call");
        }
    }

    /// What was offered goes to others; what he has taken stays his until he sits down again.
    pub(super) fn leave(&mut self, adviser: &str) {
        let Some(seat) = self.seats.remove(adviser) else { return };
        self.free.remove(&seat.free);
        if let Some(id) = seat.call
            && self.is(&id, &Phase::Offered(adviser.to_owned()))
        {
            self.back_to_waiting(&id);
        }
    }
}
