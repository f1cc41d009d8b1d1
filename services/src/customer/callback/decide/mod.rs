//! The rules of a callback, as a decider: from the wish to the talk, through crashes, closing hours and no answer.
//!
//! What is not ended has a timer: `settle` while a place is looked for or given back, `call` until the promised time, `attempt` while advisers
//! are looked for, `lease` while an adviser has it. So no promise is forgotten, whatever breaks down in between.

mod attempt;
mod evolve;
#[cfg(test)]
mod explore;
mod slot;
#[cfg(test)]
pub(super) mod tests;
mod wish;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use passerelle_bus::calendar::Calendar;
use passerelle_bus::keyed::{Context, Decider, Decision, Timer};
use passerelle_proto::bus::v1::callback_attempt_ended::Outcome;
use passerelle_proto::bus::v1::callback_event::What;
use passerelle_proto::bus::v1::{CallbackAnswer, CallbackEvent, CallbackRequested, CallbackState};

use super::line::{CallbackSettings, Line};

use wish::cancelled;

pub(super) use slot::{SlotCommand, SlotRules, slot_key, slot_of_key};

/// A place is looked for or given back: tried again after this time, and then after longer ones.
pub(super) const SETTLE: &str = "settle";
/// The promised time has come.
pub(super) const CALL: &str = "call";
/// Advisers have been looked for long enough.
pub(super) const ATTEMPT: &str = "attempt";
/// The adviser has had time enough to say what became of it.
pub(super) const LEASE: &str = "lease";

const FIRST_SETTLE: Duration = Duration::from_secs(5);
const LONGEST_SETTLE: Duration = Duration::from_secs(300);

/// A line with its calendar.
#[derive(Debug)]
pub struct OpenLine {
    /// As declared.
    pub line: Line,
    /// When it is open.
    pub calendar: Calendar,
}

/// Kinds of all things that the service keeps.
pub const KINDS: [&str; 2] = [CallbackRules::KIND, SlotRules::KIND];

/// The lines, by name.
pub type Lines = Arc<BTreeMap<String, OpenLine>>;

/// The lines of the settings with their calendars.
pub fn lines(settings: &CallbackSettings) -> Lines {
    let open = |line: &Line| OpenLine { line: line.clone(), calendar: line.calendar() };
    Arc::new(settings.lines.iter().map(|(name, line)| (name.to_string(), open(line))).collect())
}

/// Decides about callbacks; a key is the id of one.
#[derive(Debug, Clone)]
pub(super) struct CallbackRules {
    pub(super) lines: Lines,
}

/// What is asked of a callback. Slots are named by their start, in Unix seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Command {
    /// A customer wants to be called, in the slot of the wish or, if that is 0, in the first one with a place; `slot` is tried first.
    Request {
        /// What is asked for.
        wish: Box<CallbackRequested>,
        /// The slot to try.
        slot: i64,
    },
    /// The customer wants another slot, or, with `or_later`, that one or the first one after it with a place.
    Reschedule {
        /// The slot to try.
        slot: i64,
        /// If it is full, the next one is tried.
        or_later: bool,
    },
    /// The customer takes the wish back.
    Cancel,
    /// A place in the slot is held.
    Held(i64),
    /// The slot is full; `next` is where to try next, none if there is no place in as far as calls are promised.
    Full {
        /// The slot that was tried.
        slot: i64,
        /// Where to try next.
        next: Option<i64>,
    },
    /// The place in the slot has been given back.
    Released(i64),
    /// Timer: what was begun is taken up again.
    Settle,
    /// Timer: the promised time has come.
    Call,
    /// Timer: nothing is heard of the attempt.
    Silent,
    /// Timer: the adviser never said what became of it.
    Unreported,
    /// An adviser wants to take it.
    Accept {
        /// Number of the attempt.
        attempt: u32,
        /// His name.
        adviser: String,
    },
    /// An attempt came to nothing before an adviser took it: `NO_ADVISER` or `INTERRUPTED`.
    Unanswered {
        /// Number of the attempt.
        attempt: u32,
        /// What became of it.
        outcome: Outcome,
        /// Why, in words.
        note: String,
    },
    /// The adviser has called: `REACHED`, `BUSY` or `NO_ANSWER`.
    Report {
        /// Number of the attempt.
        attempt: u32,
        /// What became of it.
        outcome: Outcome,
        /// What the adviser adds.
        note: String,
    },
}

/// Why a command changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// There is no callback of that id.
    #[error("there is no such callback")]
    Unknown,
    /// The line is not in the settings.
    #[error("there is no line `{line}` (there are: {known})")]
    UnknownLine {
        /// What was asked for.
        line: String,
        /// What there is.
        known: String,
    },
    /// The same key of the same customer, for something else.
    #[error("the idempotency key was used for another wish of this customer; choose a new one for a new wish")]
    KeyReused,
    /// No slot begins then.
    #[error("no slot of this line begins then; search for its slots")]
    NoSuchSlot,
    /// The slot is over.
    #[error("that slot is over; search for slots from now on")]
    Past,
    /// The slot lies beyond the horizon.
    #[error("calls are promised {days} days ahead at most")]
    TooFar {
        /// The horizon.
        days: u32,
    },
    /// It has ended.
    #[error("the callback has ended")]
    Ended,
    /// Advisers are being looked for, right now.
    #[error("the customer is being called right now")]
    BeingCalled,
    /// A place is being looked for.
    #[error("a place is being looked for; ask again in a moment")]
    Seeking,
    /// Moved too often.
    #[error("a callback is moved {LONGEST_MOVES} times at most; cancel it and ask for a new one")]
    MovedTooOften,
    /// The attempt is over, or someone else has it.
    #[error("the call was withdrawn")]
    Withdrawn,
}

/// How often a customer may move one callback.
pub(super) const LONGEST_MOVES: u32 = 50;

impl Decider for CallbackRules {
    type State = CallbackState;
    type Event = CallbackEvent;
    type Command = Command;
    type Answer = CallbackAnswer;
    type Refusal = Refusal;

    const KIND: &'static str = "callback";

    fn decide(&self, state: &CallbackState, command: &Command, context: &Context<'_>) -> Result<Decision<Self>, Refusal> {
        let now = context.now;
        match command {
            Command::Request { wish, slot } => self.request(state, wish, *slot, now),
            Command::Reschedule { slot, or_later } => self.reschedule(state, *slot, *or_later, now),
            Command::Cancel => cancelled(state, now),
            Command::Held(slot) => Ok(self.held(state, *slot, now)),
            Command::Full { slot, next } => Ok(self.full(state, *slot, *next, context)),
            Command::Released(slot) => Ok(self.released(state, *slot, now)),
            Command::Settle => Ok(self.settle(state, now)),
            Command::Call => Ok(self.call(state, context)),
            Command::Silent => Ok(self.silent(state, context)),
            Command::Unreported => Ok(self.unreported(state, now)),
            Command::Accept { attempt, adviser } => self.accept(state, *attempt, adviser, now),
            Command::Unanswered { attempt, outcome, note } => self.unanswered(state, *attempt, (*outcome, note), context),
            Command::Report { attempt, outcome, note } => self.report(state, *attempt, (*outcome, note), context),
        }
    }

    fn evolve(&self, state: &mut CallbackState, event: &CallbackEvent) {
        evolve::evolve(state, event);
    }

    fn due(&self, timer: &str) -> Command {
        match timer {
            CALL => Command::Call,
            ATTEMPT => Command::Silent,
            LEASE => Command::Unreported,
            _ => Command::Settle,
        }
    }

    /// A callback that has ended, and gives no place back any more.
    fn ended(&self, _key: &str, state: &CallbackState) -> Option<SystemTime> {
        if lives(state) || !state.releasing.is_empty() {
            return None;
        }
        let ended = state.steps.iter().rev().find(|step| matches!(step.what, Some(What::Ended(_))))?;
        SystemTime::try_from(ended.at?).ok()
    }

    fn event_type(event: &CallbackEvent) -> &'static str {
        match &event.what {
            Some(What::Requested(_)) => "passerelle.customer.v1.CallbackRequested",
            Some(What::Sought(_)) => "passerelle.customer.v1.CallbackSought",
            Some(What::SoughtInVain(_)) => "passerelle.customer.v1.CallbackSoughtInVain",
            Some(What::Promised(_)) => "passerelle.customer.v1.CallbackPromised",
            Some(What::Released(_)) => "passerelle.customer.v1.CallbackReleased",
            Some(What::Settling(_)) => "passerelle.customer.v1.CallbackSettling",
            Some(What::Calling(_)) => "passerelle.customer.v1.CallbackCalling",
            Some(What::Accepted(_)) => "passerelle.customer.v1.CallbackAccepted",
            Some(What::AttemptEnded(_)) => "passerelle.customer.v1.CallbackAttemptEnded",
            Some(What::Retried(_)) => "passerelle.customer.v1.CallbackRetried",
            Some(What::Ended(_)) => "passerelle.customer.v1.CallbackEnded",
            None => "passerelle.customer.v1.CallbackChanged",
        }
    }
}

impl CallbackRules {
    /// Rules for these lines.
    pub(super) fn new(lines: Lines) -> Self {
        Self { lines }
    }

    /// The line of a callback; none if it has been taken out of the settings.
    pub(super) fn line_of(&self, state: &CallbackState) -> Option<&OpenLine> {
        self.lines.get(&state.wish.as_ref()?.line)
    }
}

/// Whether the callback exists and has not ended.
pub(super) fn lives(state: &CallbackState) -> bool {
    state.wish.is_some() && state.ending == 0
}

/// Nothing changes: it came too late, or a second time.
fn unchanged() -> Decision<CallbackRules> {
    Decision::new(Vec::new(), CallbackAnswer { unchanged: true })
}

/// What happened, all at one moment.
fn happened(now: SystemTime, what: impl IntoIterator<Item = What>) -> Decision<CallbackRules> {
    let event = |what| CallbackEvent { at: Some(now.into()), what: Some(what) };
    Decision::new(what.into_iter().map(event).collect(), CallbackAnswer::default())
}

trait Timed {
    fn timer(self, name: &str, due: SystemTime) -> Self;
    fn clear(self, names: &[&str]) -> Self;
}

impl Timed for Decision<CallbackRules> {
    fn timer(mut self, name: &str, due: SystemTime) -> Self {
        self.timers.push(Timer { name: name.to_owned(), due });
        self
    }

    fn clear(mut self, names: &[&str]) -> Self {
        self.cleared.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }
}

/// A moment in whole Unix seconds, rounded down.
pub(super) fn unix_seconds(moment: SystemTime) -> i64 {
    match moment.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

/// The moment of Unix seconds; before 1970 is 1970.
pub(super) fn moment(unix_seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(unix_seconds).unwrap_or_default())
}
