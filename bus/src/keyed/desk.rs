//! Where one key is worked on: commands are decided, repeated or refused, timers fired, snapshots made.

use std::collections::VecDeque;

use passerelle_journal::{AppendError, Position};
use prost::Message as _;

use super::ask::{Command, Due, Reply, Taken};
use super::flight::{Flight, Shown, Waiter};
use super::home::{Batch, Home};
use super::instant::{from_nanoseconds, nanoseconds, timestamp};
use super::key::Key;
use super::life::{Draft, Life, Written};
use super::{Context, Decider, Decision, Done, Failure};

/// One key with its state: what is decided, and what of it is durable.
pub(super) struct Live<D: Decider> {
    pub(super) life: Life<D>,
    pub(super) shown: Shown<D>,
}

impl<D: Decider> Live<D> {
    /// A key as its history, of which these are the first and the last position, makes it.
    pub(super) fn new(life: Life<D>, since: Position, position: Position) -> Self {
        let shown = Shown { state: life.state.clone(), sequence: life.sequence, position, since };
        Self { life, shown }
    }
}

/// Whether a command was asked before.
pub(super) enum Asked<D: Decider> {
    Answered,
    New(Command<D>),
    /// Only the projection knows.
    Perhaps(Command<D>),
}

/// Where one key is worked on.
pub(super) struct Desk<'a, D: Decider> {
    pub(super) key: &'a Key,
    pub(super) live: &'a mut Live<D>,
    pub(super) flights: &'a mut VecDeque<Flight<D>>,
    pub(super) home: &'a Home<D>,
    pub(super) batch: &'a mut Batch,
}

impl<D: Decider> Desk<'_, D> {
    pub(super) fn first_time(&mut self, command: Command<D>) -> Asked<D> {
        if command.idempotency_key.is_empty() {
            return Asked::New(command);
        }
        let Some(answered) = self.live.life.answered(&command.idempotency_key) else {
            let may_be = self.live.life.may_have_forgotten(&command.idempotency_key);
            return if may_be { Asked::Perhaps(command) } else { Asked::New(command) };
        };
        match answered.position {
            Some(position) => self.repeat_older(command, &answered.answer.clone(), position),
            None => self.repeat_in_flight(command, answered.sequence, &answered.answer.clone()),
        }
        Asked::Answered
    }

    fn repeat_in_flight(&mut self, command: Command<D>, sequence: u64, answer: &[u8]) {
        let Some(flight) = self.flights.iter_mut().find(|flight| flight.sequence == sequence) else { return };
        match D::Answer::decode(answer) {
            Ok(answer) => flight.waiters.push(Waiter::Command { answer, repeated: true, reply: command.reply }),
            Err(error) => command.reply.send(Err(damaged(Position::default(), &error))),
        }
    }

    pub(super) fn repeat_older(&mut self, command: Command<D>, answer: &[u8], position: Position) {
        command.reply.send(match D::Answer::decode(answer) {
            Ok(answer) => Ok(Done { answer, position, repeated: true }),
            Err(error) => Err(damaged(position, &error)),
        });
    }

    pub(super) fn decide(&mut self, command: Command<D>) {
        let Command { idempotency_key, command, reply } = command;
        let now = self.home.parts.clock.now();
        match self.home.decider.decide(&self.live.life.state, &command, &Context { key: self.key.plain(), now }) {
            Err(refusal) => self.rest(Waiter::Refused { refusal, reply }),
            Ok(decision) if idempotency_key.is_empty() && changes_nothing(&decision) => {
                self.rest(Waiter::Command { answer: decision.answer, repeated: false, reply });
            }
            Ok(decision) => match self.write(Draft { now, idempotency_key, fired: None, decision, whole: false }) {
                Ok(answer) => self.rest(Waiter::Command { answer, repeated: false, reply }),
                Err(error) => reply.send(Err(Failure::Journal(error))),
            },
        }
    }

    pub(super) fn fire(&mut self, due: Due) {
        let Due { alarm, taken, permit } = due;
        let pending = self.live.life.timer(&alarm.name).is_some_and(|due| nanoseconds(timestamp(due)) == alarm.due);
        if !pending {
            let _ = taken.send(Taken::NotPending);
            return;
        }
        let now = self.home.parts.clock.now();
        self.home.meter.timer_fired(now.duration_since(from_nanoseconds(alarm.due)).unwrap_or_default());
        let command = self.home.decider.due(&alarm.name);
        let decision = self.home.decider.decide(&self.live.life.state, &command, &Context { key: self.key.plain(), now });
        // A refusal is written down as well: the timer has had its turn.
        let decision = decision.unwrap_or_else(|_| Decision::new(Vec::new(), D::Answer::default()));
        let draft = Draft { now, idempotency_key: String::new(), fired: Some(&alarm.name), decision, whole: false };
        let told = match self.write(draft) {
            Ok(_) => {
                self.rest(Waiter::Timer { _permit: permit });
                self.batch.fired.push(taken);
                return;
            }
            Err(error) => Taken::Failed(error.to_string()),
        };
        let _ = taken.send(told);
    }

    /// Whether it ended long ago, and nothing was written since `before`.
    pub(super) fn is_over(&self, before: Position) -> bool {
        let Live { life, shown } = &self.live;
        let Home { decider, parts, settings, .. } = self.home;
        let long_ago = || {
            let let_go = decider.ended(self.key.plain(), &life.state)?.checked_add(settings.ended_kept)?;
            Some(let_go <= parts.clock.now())
        };
        self.flights.is_empty() && shown.position < before && !life.has_timers() && long_ago().unwrap_or(false)
    }

    pub(super) fn keep(&mut self, before: Position, reply: Reply<D, Option<usize>>) {
        if self.flights.is_empty() && self.live.shown.since >= before {
            reply.send(Ok(None));
            return;
        }
        let now = self.home.parts.clock.now();
        let decision = Decision::new(Vec::new(), D::Answer::default());
        match self.write(Draft { now, idempotency_key: String::new(), fired: None, decision, whole: true }) {
            Ok(_) => self.rest(Waiter::Kept(self.batch.entries.last().map_or(0, |entry| entry.data.len()), reply)),
            Err(error) => reply.send(Err(Failure::Journal(error))),
        }
    }

    fn write(&mut self, draft: Draft<'_, D>) -> Result<D::Answer, AppendError> {
        let now = draft.now;
        let every = self.home.settings.snapshot_every;
        let Written { entry, events, answer, timers } = self.live.life.write(&self.home.decider, self.key, draft, every)?;
        let whole = entry.step.as_ref().is_some_and(|step| step.snapshot);
        self.batch.push(self.key, entry);
        let sequence = self.live.life.sequence;
        self.flights.push_back(Flight { sequence, events, timers, now, whole, waiters: Vec::with_capacity(1) });
        Ok(answer)
    }

    /// What is said rests on all that was decided before: it is said when that is durable.
    pub(super) fn rest(&mut self, waiter: Waiter<D>) {
        match self.flights.back_mut() {
            Some(flight) => flight.waiters.push(waiter),
            None => waiter.answer(&self.live.shown),
        }
    }
}

fn changes_nothing<D: Decider>(decision: &Decision<D>) -> bool {
    let Decision { events, outbox, timers, cleared, answer: _ } = decision;
    events.is_empty() && outbox.is_empty() && timers.is_empty() && cleared.is_empty()
}

fn damaged<R>(position: Position, error: &prost::DecodeError) -> Failure<R> {
    Failure::Damaged { position, why: format!("its answer: {error}") }
}
