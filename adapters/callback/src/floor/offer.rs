//! Calls on the floor: placed, offered to one adviser after another, connected, ended.

use std::collections::BTreeSet;

use passerelle_adapter::Fault;
use passerelle_proto::backoffice::callback::v1::sit_response::What;
use passerelle_proto::backoffice::callback::v1::{Call, Closed, Connected, Offered};
use tokio::sync::mpsc;

use super::{Floor, Inner, Phase, Placed, Ticket, ToCall, channel};

impl Floor {
    /// Places a call: with nobody's name it is offered, with a name it is that adviser's. One of the same id makes way.
    pub(crate) fn place(&self, call: Call, resume: Option<String>) -> Result<(Ticket, mpsc::Receiver<ToCall>), Fault> {
        let mut inner = self.inner();
        inner.open()?;
        let id = call.callback_id.clone();
        inner.remove(&id, "it is placed anew");
        if inner.calls.len() >= self.0.limits.calls as usize {
            let message = format!("{} calls are at the desk already (limits.calls)", inner.calls.len());
            return Err(Fault::Throttled { retry_after: self.offer(), message });
        }
        let (out, events) = channel();
        let number = inner.next_number();
        let phase = resume.clone().map_or(Phase::Waiting, Phase::Connected);
        inner.calls.insert(id.clone(), Placed { number, call, phase, out, asked: BTreeSet::new(), declined: String::new() });
        match resume {
            Some(adviser) => inner.resume(&adviser),
            None => {
                inner.waiting.insert(number, id.clone());
            }
        }
        inner.dispatch();
        Ok((Ticket { name: id, number }, events))
    }

    /// What was said last is on disk: the adviser is told.
    pub(crate) fn confirm(&self, call: &Ticket) -> bool {
        let mut inner = self.inner();
        let Some(phase) = inner.placed(call).map(|placed| placed.phase.clone()) else { return false };
        match phase {
            Phase::Accepted(adviser) => {
                inner.set_phase(&call.name, Phase::Connected(adviser.clone()));
                inner.connect(&adviser, &call.name, false);
            }
            Phase::Reported(adviser) => {
                inner.calls.remove(&call.name);
                let has = inner.seats.get(&adviser).is_some_and(|seat| seat.call.as_deref() == Some(&call.name));
                if has {
                    inner.show(&adviser, What::Closed(Closed { callback_id: call.name.clone() }));
                    inner.set_free(&adviser);
                    inner.resume(&adviser);
                }
            }
            Phase::Waiting | Phase::Offered(_) | Phase::Connected(_) => return false,
        }
        inner.dispatch();
        true
    }

    /// The call is not to be made, or its stream is gone.
    pub(crate) fn withdraw(&self, call: &Ticket, reason: &str) {
        let mut inner = self.inner();
        if inner.placed(call).is_some() {
            inner.remove(&call.name, reason);
            inner.dispatch();
        }
    }

    /// The adviser who is asked has had time enough: the next one is.
    pub(crate) fn lapse(&self, call: &Ticket) {
        let mut inner = self.inner();
        let Some(Phase::Offered(adviser)) = inner.placed(call).map(|placed| placed.phase.clone()) else { return };
        inner.take_away(&adviser, &call.name, "not taken in time");
        inner.back_to_waiting(&call.name);
        inner.dispatch();
    }

    /// Advisers have been looked for long enough: why none took it, or `None` if one has meanwhile.
    pub(crate) fn give_up(&self, call: &Ticket) -> Option<String> {
        let mut inner = self.inner();
        let placed = inner.placed(call)?;
        if !matches!(placed.phase, Phase::Waiting | Phase::Offered(_)) {
            return None;
        }
        let (asked, declined) = (placed.asked.len(), placed.declined.clone());
        let line = placed.call.line.clone();
        let sits = inner.seats.values().filter(|seat| seat.lines.is_empty() || seat.lines.contains(&line)).count();
        inner.remove(&call.name, "not taken in time");
        inner.dispatch();
        tracing::debug!(endpoint = self.endpoint(), line, asked, sits, "no adviser took the call");
        Some(match (sits, asked) {
            (0, 0) => format!("nobody sits at line {line}"),
            (_, 0) => "all advisers had calls".to_owned(),
            (_, asked) if declined.is_empty() => format!("{asked} asked, none took it"),
            (_, asked) => format!("{asked} asked, none took it; the last one said: {declined}"),
        })
    }
}

impl Inner {
    pub(super) fn placed(&self, ticket: &Ticket) -> Option<&Placed> {
        self.calls.get(&ticket.name).filter(|placed| placed.number == ticket.number)
    }

    pub(super) fn set_phase(&mut self, id: &str, phase: Phase) {
        if let Some(placed) = self.calls.get_mut(id) {
            placed.phase = phase;
        }
    }

    /// Offers waiting calls to free advisers, the longest waiting call to the one who has been free longest; one adviser a call, one
    /// call an adviser.
    pub(super) fn dispatch(&mut self) {
        while let Some((adviser, id)) = self.pair() {
            let offer_seconds = self.offer_seconds;
            let Some(placed) = self.calls.get_mut(&id) else { return };
            placed.asked.insert(adviser.clone());
            placed.phase = Phase::Offered(adviser.clone());
            let (number, call) = (placed.number, placed.call.clone());
            let heard = placed.out.try_send(ToCall::Ringing(adviser.clone())).is_ok();
            self.waiting.remove(&number);
            if !heard {
                // Nobody listens to this call any more.
                self.calls.remove(&id);
                continue;
            }
            self.occupy(&adviser, &id);
            if !self.show(&adviser, What::Offered(Offered { call: Some(call), offer_seconds })) {
                self.leave(&adviser);
            }
        }
    }

    fn pair(&self) -> Option<(String, String)> {
        if self.free.is_empty() {
            return None;
        }
        self.waiting.values().find_map(|id| {
            let placed = self.calls.get(id)?;
            let suits = |adviser: &&String| {
                let seat = self.seats.get(*adviser);
                let serves = seat.is_some_and(|seat| seat.lines.is_empty() || seat.lines.contains(&placed.call.line));
                serves && !placed.asked.contains(*adviser)
            };
            self.free.values().find(suits).map(|adviser| (adviser.clone(), id.clone()))
        })
    }

    /// The call waits again, in its old place.
    pub(super) fn back_to_waiting(&mut self, id: &str) {
        if let Some(placed) = self.calls.get_mut(id) {
            placed.phase = Phase::Waiting;
            self.waiting.insert(placed.number, id.to_owned());
        }
    }

    /// The call is gone, from the screen too.
    pub(super) fn remove(&mut self, id: &str, reason: &str) {
        let Some(placed) = self.calls.remove(id) else { return };
        self.waiting.remove(&placed.number);
        if let Some(adviser) = placed.phase.adviser().map(str::to_owned) {
            self.take_away(&adviser, id, reason);
            self.resume(&adviser);
        }
    }

    /// Tells the adviser that the call is his.
    pub(super) fn connect(&mut self, adviser: &str, id: &str, resumed: bool) {
        let Some(call) = self.calls.get(id).map(|placed| placed.call.clone()) else { return };
        self.occupy(adviser, id);
        if !self.show(adviser, What::Connected(Connected { call: Some(call), resumed })) {
            self.leave(adviser);
        }
    }

    /// Shows an adviser the call that is his by what is on disk, if there is one and he is not with another; an offer makes way for it.
    pub(super) fn resume(&mut self, adviser: &str) {
        let Some(has) = self.seats.get(adviser).map(|seat| seat.call.clone()) else { return };
        let his = |placed: &&Placed| placed.phase == Phase::Connected(adviser.to_owned());
        let Some(parked) = self.calls.values().filter(his).min_by_key(|placed| placed.number) else { return };
        let parked = parked.call.callback_id.clone();
        match has {
            None => self.connect(adviser, &parked, true),
            Some(id) if self.calls.get(&id).is_some_and(|placed| placed.phase == Phase::Offered(adviser.to_owned())) => {
                self.take_away(adviser, &id, "a call that is yours already comes first");
                self.back_to_waiting(&id);
                if let Some(placed) = self.calls.get_mut(&id) {
                    placed.asked.remove(adviser);
                }
                self.connect(adviser, &parked, true);
            }
            Some(_) => {}
        }
    }
}
