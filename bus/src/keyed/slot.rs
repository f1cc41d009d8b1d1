//! One key in memory: what is decided about it, what is durable of it, and who waits.

use std::collections::VecDeque;
use std::mem;

use passerelle_journal::{AppendError, Outcome, Position};
use prost::Message as _;

use super::ask::{Ask, Command, Due, Reply, Taken};
use super::flight::{Flight, Shown, Waiter};
use super::home::{Batch, Home};
use super::instant::{from_nanoseconds, nanoseconds, timestamp};
use super::key::Key;
use super::life::{Draft, Life, Written};
use super::{Context, Decider, Decision, Failure};

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

pub(super) struct Live<D: Decider> {
    life: Life<D>,
    shown: Shown<D>,
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

impl<D: Decider> Live<D> {
    /// A key as its history, of which these are the first and the last position, makes it.
    pub(super) fn new(life: Life<D>, since: Position, position: Position) -> Self {
        let shown = Shown { state: life.state.clone(), sequence: life.sequence, position, since };
        Self { life, shown }
    }
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
                    reply.send(Ok(false));
                    // Its records may go at any time: what comes next is to see whether they have.
                    self.phase = Phase::Cold;
                }
                Ask::Keep(before, reply) => desk.keep(before, reply),
                Ask::Command(command) => match desk.first_time(command) {
                    Asked::Answered => {}
                    Asked::New(command) => desk.decide(command),
                    Asked::Perhaps(command) => {
                        let forgotten = live.life.forgotten;
                        self.look_up();
                        return Need::LookUp(command, forgotten);
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

/// Whether a command was asked before.
enum Asked<D: Decider> {
    Answered,
    New(Command<D>),
    /// Only the projection knows.
    Perhaps(Command<D>),
}

/// Where one key is worked on.
struct Desk<'a, D: Decider> {
    key: &'a Key,
    live: &'a mut Live<D>,
    flights: &'a mut VecDeque<Flight<D>>,
    home: &'a Home<D>,
    batch: &'a mut Batch,
}

impl<D: Decider> Desk<'_, D> {
    fn first_time(&mut self, command: Command<D>) -> Asked<D> {
        if command.idempotency_key.is_empty() {
            return Asked::New(command);
        }
        let Some(answered) = self.live.life.answered(&command.idempotency_key) else {
            return if self.live.life.forgets() { Asked::Perhaps(command) } else { Asked::New(command) };
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

    fn repeat_older(&mut self, command: Command<D>, answer: &[u8], position: Position) {
        command.reply.send(match D::Answer::decode(answer) {
            Ok(answer) => Ok(super::Done { answer, position, repeated: true }),
            Err(error) => Err(damaged(position, &error)),
        });
    }

    fn decide(&mut self, command: Command<D>) {
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

    fn fire(&mut self, due: Due) {
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

    /// Whether it has ended, and nothing was written since.
    fn is_over(&self, before: Position) -> bool {
        let Live { life, shown } = &self.live;
        self.flights.is_empty() && shown.position < before && D::ended(&life.state) && !life.has_timers()
    }

    fn keep(&mut self, before: Position, reply: Reply<D, bool>) {
        if self.flights.is_empty() && self.live.shown.since >= before {
            reply.send(Ok(false));
            return;
        }
        let now = self.home.parts.clock.now();
        let decision = Decision::new(Vec::new(), D::Answer::default());
        match self.write(Draft { now, idempotency_key: String::new(), fired: None, decision, whole: true }) {
            Ok(_) => self.rest(Waiter::Kept(reply)),
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
    fn rest(&mut self, waiter: Waiter<D>) {
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
