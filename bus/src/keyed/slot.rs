//! One key in memory: what is decided about it, what is durable of it, and who waits.

use std::collections::VecDeque;
use std::mem;

use passerelle_journal::{AppendError, Outcome, Position};

use super::ask::{Ask, Command};
use super::desk::{Asked, Desk, Live};
use super::flight::{Flight, Waiter};
use super::home::{Batch, Home};
use super::key::Key;
use super::{Decider, Failure};

pub(super) struct Slot<D: Decider> {
    phase: Phase<D>,
    /// In the order of their sequence. Their outcomes come in the same order.
    flights: VecDeque<Flight<D>>,
    /// Asked while there was no state to decide on, in the order of asking.
    parked: VecDeque<Ask<D>>,
    /// Asked since eviction last looked.
    pub(super) touched: bool,
}

enum Phase<D: Decider> {
    /// Nothing is known, and nothing asked.
    Cold,
    /// The history is being read.
    Loading,
    /// Commands are decided at once.
    Live(Box<Live<D>>),
    /// An older answer is being looked up; what is in flight goes on.
    LookingUp(Box<Live<D>>),
    /// A record was not written: what was decided on top of it falls as well. Loaded anew when nothing is in flight any more.
    Broken { failure: Failure<D::Refusal>, looking_up: bool },
}

/// An answer that the projection gave.
pub(super) type Older = Option<(Vec<u8>, Position)>;

/// What a shard has to do for a slot.
pub(super) enum Need<D: Decider> {
    Nothing,
    /// Read its history.
    Load,
    /// Write what is decided, then go on: there is more to decide than goes into one batch.
    Room,
    /// Look for the answer that this command was given, in the projection at a position at least.
    LookUp(Command<D>, Position),
}

impl<D: Decider> Slot<D> {
    /// A key of which nothing is known.
    pub(super) fn cold() -> Self {
        Self { phase: Phase::Cold, flights: VecDeque::new(), parked: VecDeque::new(), touched: true }
    }

    /// Whether it may be dropped from memory.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Live(_) | Phase::Cold) && self.flights.is_empty() && self.parked.is_empty()
    }

    /// Something is asked: done at once if there is a state to do it on.
    pub(super) fn take(&mut self, key: &Key, ask: Ask<D>, home: &Home<D>, batch: &mut Batch) -> Need<D> {
        self.touched = true;
        self.parked.push_back(ask);
        self.work(key, home, batch)
    }

    /// Does what is asked, the first asked first, as far as there is a state to do it on.
    pub(super) fn work(&mut self, key: &Key, home: &Home<D>, batch: &mut Batch) -> Need<D> {
        while let Phase::Live(live) = &mut self.phase {
            if !batch.has_room() {
                return Need::Room;
            }
            let Some(ask) = self.parked.pop_front() else { break };
            let mut desk = Desk { key, live, flights: &mut self.flights, home, batch };
            match ask {
                Ask::State(reply) => desk.rest(Waiter::State(reply)),
                Ask::Due(due) => desk.fire(due),
                Ask::Keep(before, reply) if desk.is_over(before) => {
                    reply.send(Ok(None));
                    // Its records may go at any time: what comes next is to see whether they have.
                    self.phase = Phase::Cold;
                }
                Ask::Keep(before, reply) => desk.keep(before, reply),
                Ask::Command(command) => match desk.first_time(command) {
                    Asked::Answered => {}
                    Asked::New(command) => desk.decide(command),
                    Asked::Perhaps(command) => {
                        let position = live.life.forgotten_to;
                        self.look_up();
                        return Need::LookUp(command, position);
                    }
                },
            }
        }
        self.load_if_cold()
    }

    /// Its history was read.
    pub(super) fn loaded(&mut self, loaded: Result<Live<D>, Failure<D::Refusal>>) {
        match loaded {
            Ok(live) => self.phase = Phase::Live(Box::new(live)),
            Err(failure) => {
                self.phase = Phase::Cold;
                for ask in mem::take(&mut self.parked) {
                    ask.fail(&failure);
                }
            }
        }
    }

    /// The projection was asked about an older answer to the command.
    pub(super) fn looked_up(
        &mut self,
        key: &Key,
        command: Command<D>,
        older: Result<Older, Failure<D::Refusal>>,
        home: &Home<D>,
        batch: &mut Batch,
    ) -> Need<D> {
        match mem::replace(&mut self.phase, Phase::Loading) {
            Phase::LookingUp(mut live) => {
                let mut desk = Desk { key, live: &mut live, flights: &mut self.flights, home, batch };
                match older {
                    Ok(None) => desk.decide(command),
                    Ok(Some((answer, position))) => desk.repeat_older(command, &answer, position),
                    Err(failure) => command.reply.send(Err(failure)),
                }
                self.phase = Phase::Live(live);
                self.work(key, home, batch)
            }
            Phase::Broken { failure, .. } => {
                self.parked.push_front(Ask::Command(command));
                self.phase = Phase::Broken { failure, looking_up: false };
                self.load_when_over()
            }
            // A look-up ends in the phase in which it was begun, or in the one that a failure makes of it.
            phase => {
                self.phase = phase;
                command.reply.send(Err(Failure::Closed));
                Need::Nothing
            }
        }
    }

    /// The outcome of the record that was written first is known.
    pub(super) fn settle(&mut self, key: &Key, outcome: Result<Outcome, AppendError>, home: &Home<D>) -> Need<D> {
        let Some(flight) = self.flights.pop_front() else { return Need::Nothing };
        match (&mut self.phase, outcome) {
            (Phase::Live(live) | Phase::LookingUp(live), Ok(Outcome::Written(position))) => {
                live.life.durable(flight.sequence, position);
                flight.land(&mut live.shown, position, key, home);
                Need::Nothing
            }
            (Phase::Broken { failure, .. }, _) => {
                flight.lose(failure, home);
                self.load_when_over()
            }
            (phase, outcome) => {
                let failure = failure(outcome);
                flight.lose(&failure, home);
                let looking_up = matches!(phase, Phase::LookingUp(_));
                *phase = Phase::Broken { failure, looking_up };
                self.load_when_over()
            }
        }
    }

    fn look_up(&mut self) {
        self.phase = match mem::replace(&mut self.phase, Phase::Loading) {
            Phase::Live(live) => Phase::LookingUp(live),
            phase => phase,
        };
    }

    fn load_when_over(&mut self) -> Need<D> {
        if self.flights.is_empty() && matches!(self.phase, Phase::Broken { looking_up: false, .. }) {
            self.phase = Phase::Cold;
        }
        self.load_if_cold()
    }

    fn load_if_cold(&mut self) -> Need<D> {
        if self.parked.is_empty() || !matches!(self.phase, Phase::Cold) {
            return Need::Nothing;
        }
        self.phase = Phase::Loading;
        Need::Load
    }
}

fn failure<R>(outcome: Result<Outcome, AppendError>) -> Failure<R> {
    match outcome {
        Err(error) => Failure::Journal(error),
        Ok(Outcome::OutOfSequence { last }) => Failure::Conflict { last },
        // Records of keys have no fingerprint: an engine that says this wrote nothing.
        Ok(Outcome::Repeated(_) | Outcome::Written(_)) => Failure::Conflict { last: 0 },
    }
}
