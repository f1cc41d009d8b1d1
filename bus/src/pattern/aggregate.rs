//! The aggregator: holds messages that belong together until they are complete, and publishes one.

use std::time::Duration;

use bytes::Bytes;
use passerelle_feel::{Value, to_json};
use passerelle_proto::bus::v1::{Message, PatternLoss};

use super::Refusal;
use super::rule::{Rule, data, values, values_of, whole};
use super::state::size;
use super::step::Step;
use super::written::{Bounds, Incomplete};

/// The timer that ends what is held.
pub(super) const EXPIRE: &str = "expire";
/// What is published is JSON.
pub(super) const JSON: &str = "application/json";

/// An aggregator, compiled.
#[derive(Debug)]
pub(super) struct Aggregate {
    pub(super) count: Option<Rule>,
    pub(super) until: Option<Rule>,
    pub(super) within: Duration,
    pub(super) incomplete: Incomplete,
    pub(super) bounds: Bounds,
    pub(super) r#type: String,
    pub(super) data: Option<Rule>,
}

impl Aggregate {
    pub(super) fn take(&self, step: &mut Step<'_>, message: &Message) -> Result<(), Refusal> {
        let size = size(message);
        let most = self.bounds.bytes as usize;
        if size > most {
            return Err(Refusal(format!("it has {size} bytes, this aggregator holds at most {most} together")));
        }
        let needed = self.count.as_ref().map(|count| count.value(&values(message), step.now).and_then(|value| whole(&value)));
        let needed = needed.transpose().map_err(|why| Refusal(format!("its `count`: {why}")))?;
        let is_full = step.state.held.len() >= self.bounds.messages as usize || step.held_bytes() + size > most;
        if is_full {
            self.end(step, PatternLoss::Full);
        }
        let is_first = step.state.held.is_empty();
        step.hold(message, 0);
        if needed.is_some_and(|needed| step.state.held.len() as u64 >= needed) || self.holds_until(step) {
            self.give(step, true);
        } else if is_first {
            step.remind(EXPIRE, self.within);
        }
        Ok(())
    }

    /// Its time is over.
    pub(super) fn expire(&self, step: &mut Step<'_>) {
        if !step.state.held.is_empty() {
            self.end(step, PatternLoss::Expired);
        }
    }

    fn holds_until(&self, step: &Step<'_>) -> bool {
        self.until.as_ref().is_some_and(|until| until.holds(&values_of(parts(step), true), step.now))
    }

    /// It is over without being complete.
    fn end(&self, step: &mut Step<'_>, why: PatternLoss) {
        match self.incomplete {
            Incomplete::Publish => self.give(step, false),
            Incomplete::DeadLetters => {
                step.forget(EXPIRE);
                step.lose_all(why);
            }
        }
    }

    /// One message of all; what cannot be made of them makes them dead letters.
    fn give(&self, step: &mut Step<'_>, complete: bool) {
        step.forget(EXPIRE);
        let made = match &self.data {
            Some(rule) => rule.value(&values_of(parts(step), complete), step.now).ok(),
            None => Some(Value::list(parts(step).map(data).collect())),
        };
        let message = made.map(|value| together(step, &self.r#type, &value));
        match message.is_some_and(|message| step.publish(vec![message])) {
            true => step.gave(step.places(), 0),
            false => step.lose_all(PatternLoss::Unmade),
        }
    }
}

/// The messages that are held.
pub(super) fn parts<'a>(step: &'a Step<'_>) -> impl Iterator<Item = &'a Message> {
    step.state.held.iter().filter_map(|held| held.message.as_ref())
}

/// One message of all that are held. What they do not agree on, nobody can say of it.
pub(super) fn together(step: &Step<'_>, r#type: &str, value: &Value) -> Message {
    let last = parts(step).last().cloned().unwrap_or_default();
    let longest = parts(step).map(|part| &part.history).max_by_key(|history| history.len());
    let cause = Message {
        subject: agreed(step, |part| &part.subject),
        customer: agreed(step, |part| &part.customer),
        channel: agreed(step, |part| &part.channel),
        reason: agreed(step, |part| &part.reason),
        correlation_id: agreed(step, |part| &part.correlation_id),
        history: longest.cloned().unwrap_or_default(),
        deadline: None,
        attempts_left: 0,
        sequence_number: 0,
        sequence_size: 0,
        ..last
    };
    with_data(step.follow(&cause, r#type, 0), value)
}

/// The message with this data, as JSON.
pub(super) fn with_data(message: Message, value: &Value) -> Message {
    Message {
        data: Bytes::from(to_json(value).to_string()),
        data_content_type: JSON.to_owned(),
        data_schema: String::new(),
        contract: String::new(),
        ..message
    }
}

fn agreed<'a>(step: &'a Step<'_>, field: impl Fn(&'a Message) -> &'a String) -> String {
    let mut all = parts(step).map(field);
    let first = all.next().cloned().unwrap_or_default();
    if all.all(|other| *other == first) { first } else { String::new() }
}
