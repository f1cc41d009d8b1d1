//! A decider run as pure functions, without journal, disk or tasks: how its rules are tested and explored.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::{Context, Decider, Decision, Timer};

/// One thing, from not existing yet onwards: commands are decided and folded at once, timers stand in it until they are fired.
///
/// Unlike [`Keyed`](super::Keyed) it knows no idempotency keys: every command is new.
pub struct Replay<'a, D: Decider> {
    decider: &'a D,
    key: &'a str,
    state: D::State,
    sequence: u64,
    /// By name: when it is due, and which step set it.
    timers: BTreeMap<String, (SystemTime, u64)>,
}

impl<D: Decider> Clone for Replay<'_, D> {
    fn clone(&self) -> Self {
        let Self { decider, key, state, sequence, timers } = self;
        Self { decider, key, state: state.clone(), sequence: *sequence, timers: timers.clone() }
    }
}

impl<'a, D: Decider> Replay<'a, D> {
    /// The thing before its first command.
    pub fn new(decider: &'a D, key: &'a str) -> Self {
        Self { decider, key, state: D::State::default(), sequence: 0, timers: BTreeMap::new() }
    }

    /// Decides a command and folds what happens. A refusal changes nothing.
    pub fn command(&mut self, command: &D::Command, now: SystemTime) -> Result<Decision<D>, D::Refusal> {
        let decision = self.decider.decide(&self.state, command, &Context { key: self.key, now })?;
        self.fold(&decision);
        Ok(decision)
    }

    /// Fires the first of the timers that are due, if any; call it until there is none. It does not fire again, even if refused.
    pub fn fire(&mut self, now: SystemTime) -> Option<Result<Decision<D>, D::Refusal>> {
        let timer = self.next_timer().filter(|timer| timer.due <= now)?;
        self.timers.remove(&timer.name);
        Some(self.command(&self.decider.due(&timer.name), now))
    }

    /// The timer that fires next: the one due first, of those due at the same time the one set first.
    pub fn next_timer(&self) -> Option<Timer> {
        let (name, (due, _)) = self.timers.iter().min_by_key(|(name, (due, step))| (*due, *step, *name))?;
        Some(Timer { name: name.clone(), due: *due })
    }

    /// What the thing is now.
    pub fn state(&self) -> &D::State {
        &self.state
    }

    fn fold(&mut self, decision: &Decision<D>) {
        self.sequence += 1;
        for event in &decision.events {
            self.decider.evolve(&mut self.state, event);
        }
        for name in &decision.cleared {
            self.timers.remove(name);
        }
        for Timer { name, due } in &decision.timers {
            self.timers.insert(name.clone(), (*due, self.sequence));
        }
    }
}
