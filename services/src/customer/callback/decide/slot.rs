//! The rules of a slot: who has its places, and never more than there are.

use std::convert::Infallible;
use std::time::SystemTime;

use passerelle_bus::keyed::{Context, Decider, Decision};
use passerelle_proto::bus::v1::callback_slot_event::What;
use passerelle_proto::bus::v1::{
    CallbackPlaceGivenBack, CallbackPlaceTaken, CallbackSlotAnswer, CallbackSlotEvent, CallbackSlotState,
};

use super::{Lines, moment};

/// The key of a slot: `sales/1795420800`.
pub(in super::super) fn slot_key(line: &str, start: i64) -> String {
    format!("{line}/{start}")
}

/// The line and the start, in Unix seconds, of a slot's key.
pub(in super::super) fn slot_of_key(key: &str) -> Option<(&str, i64)> {
    let (line, start) = key.rsplit_once('/')?;
    Some((line, start.parse().ok()?))
}

/// Decides about slots; a key is [`slot_key`].
#[derive(Debug, Clone)]
pub(in super::super) struct SlotRules {
    lines: Lines,
}

/// What is asked of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum SlotCommand {
    /// A place for this callback; that it has one already is as good.
    Take(String),
    /// The place of this callback is free again; that it has none is as good.
    GiveBack(String),
}

impl SlotRules {
    /// Rules for the slots of these lines.
    pub(in super::super) fn new(lines: Lines) -> Self {
        Self { lines }
    }

    /// Places of the slot of that key; none if its line is not there any more.
    fn capacity(&self, key: &str) -> usize {
        let line = slot_of_key(key).and_then(|(line, _)| self.lines.get(line));
        line.map_or(0, |line| line.line.capacity as usize)
    }
}

impl Decider for SlotRules {
    type State = CallbackSlotState;
    type Event = CallbackSlotEvent;
    type Command = SlotCommand;
    type Answer = CallbackSlotAnswer;
    /// That it is full is an answer.
    type Refusal = Infallible;

    const KIND: &'static str = "slot";

    fn decide(
        &self,
        state: &CallbackSlotState,
        command: &SlotCommand,
        context: &Context<'_>,
    ) -> Result<Decision<Self>, Infallible> {
        let taken = state.callback_ids.len();
        let has = |id: &String| state.callback_ids.binary_search(id).is_ok();
        let answer = |held: bool, taken: usize| CallbackSlotAnswer { held, taken: u32::try_from(taken).unwrap_or(u32::MAX) };
        let event = |what| vec![CallbackSlotEvent { what: Some(what) }];
        Ok(match command {
            SlotCommand::Take(id) if has(id) => Decision::new(Vec::new(), answer(true, taken)),
            SlotCommand::Take(id) if taken < self.capacity(context.key) => {
                let place = CallbackPlaceTaken { callback_id: id.clone() };
                Decision::new(event(What::Taken(place)), answer(true, taken + 1))
            }
            SlotCommand::Take(_) => Decision::new(Vec::new(), answer(false, taken)),
            SlotCommand::GiveBack(id) if has(id) => {
                let place = CallbackPlaceGivenBack { callback_id: id.clone() };
                Decision::new(event(What::GivenBack(place)), answer(false, taken - 1))
            }
            SlotCommand::GiveBack(_) => Decision::new(Vec::new(), answer(false, taken)),
        })
    }

    fn evolve(&self, state: &mut CallbackSlotState, event: &CallbackSlotEvent) {
        match &event.what {
            Some(What::Taken(place)) => {
                if let Err(index) = state.callback_ids.binary_search(&place.callback_id) {
                    state.callback_ids.insert(index, place.callback_id.clone());
                }
            }
            Some(What::GivenBack(place)) => state.callback_ids.retain(|id| *id != place.callback_id),
            None => {}
        }
    }

    /// A slot has no timers.
    fn due(&self, _timer: &str) -> SlotCommand {
        SlotCommand::GiveBack(String::new())
    }

    /// Nobody asks for a place in a slot that has begun.
    fn ended(&self, key: &str, _state: &CallbackSlotState) -> Option<SystemTime> {
        slot_of_key(key).map(|(_, start)| moment(start))
    }

    fn event_type(event: &CallbackSlotEvent) -> &'static str {
        match &event.what {
            Some(What::Taken(_)) => "passerelle.customer.v1.CallbackPlaceTaken",
            Some(What::GivenBack(_)) => "passerelle.customer.v1.CallbackPlaceGivenBack",
            None => "passerelle.customer.v1.CallbackSlotChanged",
        }
    }
}
