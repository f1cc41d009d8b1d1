//! One step of a pattern: what it takes, publishes, gives up and wants to be reminded of, as one decision.

use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use passerelle_proto::bus::v1::pattern_event::Event;
use passerelle_proto::bus::v1::{
    Message, PatternAnswer, PatternAsked, PatternClosed, PatternEvent, PatternGave, PatternLoss, PatternLost, PatternState,
    PatternSwitched, PatternTook,
};
use ring::digest::{Context, SHA256};

use super::state::{self, evolve};
use super::{Bury, Decide, LARGEST};
use crate::keyed::{Decision, Timer};

/// A step under way: the state is what it will be.
pub(super) struct Step<'a> {
    /// Name of the pattern.
    pub(super) name: &'a str,
    /// What is meant of all that the pattern holds.
    pub(super) key: &'a str,
    pub(super) now: SystemTime,
    pub(super) state: PatternState,
    decision: Decision<Decide>,
}

impl<'a> Step<'a> {
    pub(super) fn new(name: &'a str, key: &'a str, now: SystemTime, state: &PatternState) -> Self {
        Self { name, key, now, state: state.clone(), decision: Decision::new(Vec::new(), PatternAnswer {}) }
    }

    pub(super) fn done(self) -> Decision<Decide> {
        self.decision
    }

    /// A message is taken and passed on at once.
    pub(super) fn pass(&mut self) {
        self.happens(Event::Took(PatternTook { time: Some(self.now.into()), message: None, number: 0 }));
    }

    /// A message is taken and held.
    pub(super) fn hold(&mut self, message: &Message, number: u64) {
        self.happens(Event::Took(PatternTook { time: Some(self.now.into()), message: Some(message.clone()), number }));
    }

    /// A message for which there is no room is given up.
    pub(super) fn turn_away(&mut self, message: &Message, number: u64) {
        self.hold(message, number);
        self.lose(vec![self.state.taken], PatternLoss::Full);
    }

    /// What was held is published, as it stands in the outbox.
    pub(super) fn gave(&mut self, places: Vec<u64>, next_number: u64) {
        self.happens(Event::Gave(PatternGave { time: Some(self.now.into()), places, next_number }));
    }

    /// What is held is given up, and becomes dead letters.
    pub(super) fn lose(&mut self, places: Vec<u64>, why: PatternLoss) {
        self.happens(Event::Lost(PatternLost { time: Some(self.now.into()), places, why: why.into() }));
        // Burying begins when the record is durable; this is for a crash in between.
        self.remind(Bury::TIMER, Bury::AGAIN);
    }

    pub(super) fn lose_all(&mut self, why: PatternLoss) {
        self.lose(self.places(), why);
    }

    /// A request waits for so many answers.
    pub(super) fn ask(&mut self, request: &Message, awaited: u64) {
        let request = Message { data: prost::bytes::Bytes::new(), ..request.clone() };
        self.happens(Event::Asked(PatternAsked { time: Some(self.now.into()), request: Some(request), awaited }));
    }

    /// A request waits no more.
    pub(super) fn close(&mut self, answered: bool) {
        self.happens(Event::Closed(PatternClosed { time: Some(self.now.into()), answered }));
    }

    /// A detour is switched.
    pub(super) fn switch(&mut self, on: bool) {
        self.happens(Event::Switched(PatternSwitched { time: Some(self.now.into()), on }));
    }

    pub(super) fn remind(&mut self, timer: &str, after: Duration) {
        let due = self.now + after;
        self.decision.timers.push(Timer { name: timer.to_owned(), due });
        self.decision.cleared.retain(|name| name != timer);
    }

    pub(super) fn forget(&mut self, timer: &str) {
        self.decision.timers.retain(|set| set.name != timer);
        self.decision.cleared.push(timer.to_owned());
    }

    /// Numbers of all that is held.
    pub(super) fn places(&self) -> Vec<u64> {
        self.state.held.iter().map(|held| held.place).collect()
    }

    pub(super) fn held_bytes(&self) -> usize {
        state::held_bytes(&self.state)
    }

    /// A message that follows from another one, by this pattern: a new id and type, the same customer, conversation and trace, and the same
    /// data. The `index` tells it from others that follow from it.
    pub(super) fn follow(&self, cause: &Message, r#type: &str, index: usize) -> Message {
        let correlation_id = if cause.correlation_id.is_empty() { &cause.id } else { &cause.correlation_id };
        Message {
            id: identity(&[self.name, self.key, &cause.source, &cause.id, &index.to_string()]),
            source: format!("/patterns/{}", self.name),
            r#type: r#type.to_owned(),
            time: Some(self.now.into()),
            correlation_id: correlation_id.clone(),
            causation_id: cause.id.clone(),
            history: cause.history.iter().cloned().chain([self.name.to_owned()]).collect(),
            ..cause.clone()
        }
    }

    /// Publishes messages with the record, or none of them: `false`: they are larger than a record may be.
    pub(super) fn publish(&mut self, messages: Vec<Message>) -> bool {
        let before: usize = self.decision.outbox.iter().map(state::size).sum();
        if before + messages.iter().map(state::size).sum::<usize>() > LARGEST {
            return false;
        }
        self.decision.outbox.extend(messages);
        true
    }

    fn happens(&mut self, event: Event) {
        let event = PatternEvent { event: Some(event) };
        evolve(&mut self.state, &event);
        self.decision.events.push(event);
    }
}

/// A name that is the same for the same parts, and says nothing of them.
pub(super) fn identity(parts: &[&str]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    HEXLOWER.encode(&context.finish().as_ref()[..16])
}
