//! What a pattern holds of one key, and how what happens changes it.

use std::time::SystemTime;

use passerelle_proto::bus::v1::pattern_event::Event;
use passerelle_proto::bus::v1::{HeldMessage, LostMessage, PatternEvent, PatternState, PatternTook};
use prost::Message as _;
use prost_types::Timestamp;

/// What the thing is after the event.
pub(super) fn evolve(state: &mut PatternState, event: &PatternEvent) {
    match &event.event {
        Some(Event::Took(took)) => self::took(state, took),
        Some(Event::Gave(gave)) => {
            state.held.retain(|held| !gave.places.contains(&held.place));
            state.next_number = gave.next_number;
            happened(state, gave.time);
        }
        Some(Event::Lost(lost)) => {
            let is_lost = |held: &mut HeldMessage| lost.places.contains(&held.place);
            let gone = state.held.extract_if(.., is_lost);
            let why = lost.why;
            let letters: Vec<_> = gone.map(|HeldMessage { place, message, .. }| LostMessage { place, message, why }).collect();
            state.lost.extend(letters);
            happened(state, lost.time);
        }
        Some(Event::Buried(buried)) => state.lost.retain(|lost| !buried.places.contains(&lost.place)),
        Some(Event::Asked(asked)) => {
            state.request = asked.request.clone();
            state.awaited = asked.awaited;
            state.closed = false;
            happened(state, asked.time);
        }
        Some(Event::Closed(closed)) => {
            state.closed = true;
            state.awaited = 0;
            if closed.answered {
                state.request = None;
            }
            happened(state, closed.time);
        }
        Some(Event::Switched(switched)) => {
            state.detour = switched.on;
            happened(state, switched.time);
        }
        None => {}
    }
}

fn took(state: &mut PatternState, took: &PatternTook) {
    state.taken += 1;
    if let Some(message) = &took.message {
        if state.held.is_empty() {
            state.since = took.time;
        }
        state.held.push(HeldMessage { place: state.taken, message: Some(message.clone()), number: took.number });
    }
    happened(state, took.time);
}

fn happened(state: &mut PatternState, time: Option<Timestamp>) {
    state.last = time;
    if state.held.is_empty() {
        state.since = None;
    }
}

/// Bytes of what is held.
pub(super) fn held_bytes(state: &PatternState) -> usize {
    state.held.iter().filter_map(|held| held.message.as_ref()).map(prost::Message::encoded_len).sum()
}

/// When something happened last.
pub(super) fn last(state: &PatternState) -> Option<SystemTime> {
    state.last.and_then(|last| SystemTime::try_from(last).ok())
}

/// The event's name.
pub(super) fn event_type(event: &PatternEvent) -> &'static str {
    match event.event {
        Some(Event::Took(_)) => "passerelle.bus.v1.PatternTook",
        Some(Event::Gave(_)) => "passerelle.bus.v1.PatternGave",
        Some(Event::Lost(_)) => "passerelle.bus.v1.PatternLost",
        Some(Event::Buried(_)) => "passerelle.bus.v1.PatternBuried",
        Some(Event::Asked(_)) => "passerelle.bus.v1.PatternAsked",
        Some(Event::Closed(_)) => "passerelle.bus.v1.PatternClosed",
        Some(Event::Switched(_)) => "passerelle.bus.v1.PatternSwitched",
        None => "passerelle.bus.v1.PatternEvent",
    }
}

/// Bytes of a message.
pub(super) fn size(message: &passerelle_proto::bus::v1::Message) -> usize {
    message.encoded_len()
}
