//! The resequencer: gives messages in the order of their numbers, and does not wait for ever for one that is missing.

use std::time::Duration;

use passerelle_proto::bus::v1::{Message, PatternLoss};

use super::Refusal;
use super::aggregate::EXPIRE;
use super::rule::{Rule, values, whole};
use super::state::{last, size};
use super::step::Step;
use super::written::{Bounds, Incomplete};

/// A resequencer, compiled.
#[derive(Debug)]
pub(super) struct Resequence {
    pub(super) number: Rule,
    pub(super) within: Duration,
    pub(super) incomplete: Incomplete,
    pub(super) forget: Duration,
    pub(super) bounds: Bounds,
    pub(super) to: String,
}

impl Resequence {
    pub(super) fn take(&self, step: &mut Step<'_>, message: &Message) -> Result<(), Refusal> {
        let size = size(message);
        let most = self.bounds.bytes as usize;
        if size > most {
            return Err(Refusal(format!("it has {size} bytes, this resequencer holds at most {most} together")));
        }
        let number = self.number.value(&values(message), step.now).and_then(|value| whole(&value));
        let number = number.map_err(|why| Refusal(format!("its `number`: {why}")))?;
        if number < self.next(step) {
            return Err(Refusal("those after it in its sequence were given already".to_owned()));
        }
        if step.state.held.iter().any(|held| held.number == number) {
            return Err(Refusal("another one of its sequence has its number".to_owned()));
        }
        if step.state.held.len() >= self.bounds.messages as usize || step.held_bytes() + size > most {
            self.end(step, PatternLoss::Full);
            if number < self.next(step) {
                step.turn_away(message, number);
                return Ok(());
            }
        }
        step.hold(message, number);
        self.give(step, self.next(step));
        Ok(())
    }

    /// The first that waits has waited long enough.
    pub(super) fn expire(&self, step: &mut Step<'_>) {
        if !step.state.held.is_empty() {
            self.end(step, PatternLoss::Expired);
        }
    }

    /// The number that comes next; a sequence of which nothing was heard for long begins anew.
    fn next(&self, step: &Step<'_>) -> u64 {
        let forgotten = last(&step.state).is_none_or(|last| last + self.forget <= step.now);
        if forgotten && step.state.held.is_empty() { 1 } else { step.state.next_number.max(1) }
    }

    /// What is missing is not waited for any longer.
    fn end(&self, step: &mut Step<'_>, why: PatternLoss) {
        let Some(first) = step.state.held.iter().map(|held| held.number).min() else { return };
        match self.incomplete {
            Incomplete::Publish => self.give(step, first),
            Incomplete::DeadLetters => {
                let after = step.state.held.iter().map(|held| held.number).max().unwrap_or(first) + 1;
                step.lose_all(why);
                step.gave(Vec::new(), after);
                step.forget(EXPIRE);
            }
        }
    }

    /// Publishes what is held from that number on, up to the next gap.
    fn give(&self, step: &mut Step<'_>, from: u64) {
        let mut held: Vec<_> = step.state.held.iter().map(|held| (held.number, held.place)).collect();
        held.sort_unstable();
        let run = held.iter().zip(from..).take_while(|((number, _), next)| number == next);
        let places: Vec<u64> = run.map(|((_, place), _)| *place).collect();
        let mut given = Vec::with_capacity(places.len());
        for place in &places {
            let held = step.state.held.iter().find(|held| held.place == *place);
            given.extend(held.and_then(|held| held.message.as_ref()).map(|message| step.follow(message, &self.to, 0)));
        }
        if !step.publish(given) {
            return step.lose(places, PatternLoss::Unmade);
        }
        let (given, held) = (places.len(), step.state.held.len());
        step.gave(places, from + given as u64);
        match held - given {
            // Nothing waits any more; it may be that nothing did.
            0 if held > 1 => step.forget(EXPIRE),
            0 => {}
            // The first that waits for what is missing now.
            waiting if given > 0 || waiting == 1 => step.remind(EXPIRE, self.within),
            _ => {}
        }
    }
}
