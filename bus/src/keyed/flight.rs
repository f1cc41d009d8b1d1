//! A record on its way to the disk, and who waits for it.

use std::time::SystemTime;

use passerelle_journal::Position;
use tokio::sync::OwnedSemaphorePermit;

use super::alarm::Alarm;
use super::ask::Reply;
use super::home::Home;
use super::instant::{nanoseconds, timestamp};
use super::key::Key;
use super::{Decider, Done, Failure, Observed, Timer};

/// A record that was decided and is not durable yet.
pub(super) struct Flight<D: Decider> {
    pub(super) sequence: u64,
    pub(super) events: Vec<D::Event>,
    pub(super) timers: Vec<Timer>,
    pub(super) now: SystemTime,
    /// It holds the whole state.
    pub(super) whole: bool,
    pub(super) waiters: Vec<Waiter<D>>,
}

/// Who is to be told when a record is durable, because what is said rests on it.
pub(super) enum Waiter<D: Decider> {
    Command {
        answer: D::Answer,
        repeated: bool,
        reply: Reply<D, Done<D::Answer>>,
    },
    Refused {
        refusal: D::Refusal,
        reply: Reply<D, Done<D::Answer>>,
    },
    State(Reply<D, Option<(D::State, u64)>>),
    /// A snapshot was asked for, and has so many bytes.
    Kept(usize, Reply<D, Option<usize>>),
    /// Nobody waits, but a place is taken.
    Timer {
        _permit: OwnedSemaphorePermit,
    },
}

/// What is durable of one key.
pub(super) struct Shown<D: Decider> {
    pub(super) state: D::State,
    /// Of the last record; 0 before the first.
    pub(super) sequence: u64,
    /// Of the last record.
    pub(super) position: Position,
    /// Of the oldest record that is needed to know it.
    pub(super) since: Position,
}

impl<D: Decider> Flight<D> {
    /// The record is durable.
    pub(super) fn land(self, shown: &mut Shown<D>, position: Position, key: &Key, home: &Home<D>) {
        for event in &self.events {
            home.decider.evolve(&mut shown.state, event);
        }
        shown.sequence = self.sequence;
        shown.position = position;
        if self.whole || self.sequence == 1 {
            shown.since = position;
        }
        (home.observer)(Observed { key: key.plain(), events: &self.events, state: &shown.state, position, now: self.now });
        if !self.timers.is_empty() {
            home.timetable.set(position.0, self.timers.iter().map(|timer| alarm(timer, position, key)));
        }
        for waiter in self.waiters {
            waiter.answer(shown);
        }
    }

    /// The record is not written, or nobody knows.
    pub(super) fn lose(self, failure: &Failure<D::Refusal>, home: &Home<D>) {
        for waiter in self.waiters {
            match waiter {
                Waiter::Command { reply, .. } | Waiter::Refused { reply, .. } => reply.send(Err(failure.clone())),
                Waiter::State(reply) => reply.send(Err(failure.clone())),
                Waiter::Kept(_, reply) => reply.send(Err(failure.clone())),
                Waiter::Timer { .. } => home.timetable.fail(),
            }
        }
    }
}

impl<D: Decider> Waiter<D> {
    /// What it rests on is durable.
    pub(super) fn answer(self, shown: &Shown<D>) {
        match self {
            Self::Command { answer, repeated, reply } => reply.send(Ok(Done { answer, position: shown.position, repeated })),
            Self::Refused { refusal, reply } => reply.send(Err(Failure::Refused(refusal))),
            Self::State(reply) => {
                reply.send(Ok((shown.sequence > 0).then(|| (shown.state.clone(), shown.sequence))));
            }
            Self::Kept(bytes, reply) => reply.send(Ok(Some(bytes))),
            Self::Timer { .. } => {}
        }
    }
}

fn alarm(timer: &Timer, position: Position, key: &Key) -> Alarm {
    Alarm {
        due: nanoseconds(timestamp(timer.due)),
        position: position.0,
        key: key.plain().into(),
        name: timer.name.as_str().into(),
    }
}
