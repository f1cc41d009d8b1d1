//! A callback as channels see it: its state in their terms, and what happens next in words.

use passerelle_proto::bus::v1::callback_attempt_ended::Outcome;
use passerelle_proto::bus::v1::callback_ended::Ending;
use passerelle_proto::bus::v1::callback_event::What;
use passerelle_proto::bus::v1::callback_sought::Why;
use passerelle_proto::bus::v1::callback_state::Attempt;
use passerelle_proto::bus::v1::{CallbackEvent, CallbackState};
use passerelle_proto::customer::v1;
use passerelle_proto::customer::v1::callback::Status;
use prost_types::Timestamp;

use super::decide::OpenLine;

/// The callback as channels see it; `line` is none if it is not in the settings any more.
pub(super) fn callback(id: &str, state: &CallbackState, line: Option<&OpenLine>) -> v1::Callback {
    let wish = state.wish.clone().unwrap_or_default();
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    v1::Callback {
        callback_id: id.to_owned(),
        line: wish.line,
        status: status(state).into(),
        customer: wish.customer,
        telephone: wish.telephone,
        channel: wish.channel,
        reason: wish.reason,
        context: wish.context,
        requested_at: state.requested_at,
        promised_at: state.call_at,
        slot: (state.slot != 0).then(|| v1::TimePeriod { start: at(state.slot), end: at(state.slot_end) }),
        attempts: state.attempts.iter().map(attempt).collect(),
        steps: state.steps.iter().map(|event| step(event, line)).collect(),
        explanation: explanation(state, line),
    }
}

/// How far it has got.
pub(super) fn status(state: &CallbackState) -> Status {
    match (state.wish.is_some(), state.ending()) {
        (false, _) => Status::Unspecified,
        (_, Ending::Reached) => Status::Reached,
        (_, Ending::Unreachable) => Status::Unreachable,
        (_, Ending::Unresolved) => Status::Unresolved,
        (_, Ending::Cancelled) => Status::Cancelled,
        (_, Ending::Refused) => Status::Refused,
        (_, Ending::Unspecified) if !state.adviser.is_empty() => Status::Accepted,
        (_, Ending::Unspecified) if state.calling != 0 => Status::Calling,
        (_, Ending::Unspecified) if state.call_at.is_some() => Status::Promised,
        (_, Ending::Unspecified) => Status::Requested,
    }
}

/// A moment on the line's clock; on that of UTC if the line is gone.
fn time(at: Option<Timestamp>, line: Option<&OpenLine>) -> String {
    let Some(at) = at else { return "a time not known".to_owned() };
    match line {
        Some(line) => format!("{} ({})", line.calendar.local(at.seconds), line.calendar.zone_name()),
        None => at.to_string(),
    }
}

fn explanation(state: &CallbackState, line: Option<&OpenLine>) -> String {
    let last = state.attempts.last();
    let limit = line.map_or(0, |line| line.line.attempts);
    match status(state) {
        Status::Unspecified => "There is no such callback.".to_owned(),
        Status::Requested if state.sought_why() == Why::Closed => {
            "The line is closed at the promised time; a place in its next open slot is being looked for.".to_owned()
        }
        Status::Requested => "A place is being looked for.".to_owned(),
        Status::Promised => match last {
            None => format!("An adviser calls at {}.", time(state.call_at, line)),
            Some(attempt) if attempt.outcome() == Outcome::NoAdviser => {
                format!("No adviser was free; one is looked for again at {}.", time(state.call_at, line))
            }
            Some(attempt) if attempt.outcome() == Outcome::Interrupted => {
                format!("The search for an adviser was interrupted; it begins again at {}.", time(state.call_at, line))
            }
            Some(attempt) => format!(
                "{} The next call ({} of {limit}) is at {}.",
                sentence(outcome(attempt.outcome())),
                state.not_reached + 1,
                time(state.call_at, line)
            ),
        },
        Status::Calling => "An adviser is being looked for, right now.".to_owned(),
        Status::Accepted => "An adviser has it and calls.".to_owned(),
        Status::Reached => "The customer was reached.".to_owned(),
        Status::Unreachable if state.not_reached > 0 && state.not_reached >= limit => {
            format!("The customer was not reached in {} calls, and is told through another channel.", state.not_reached)
        }
        Status::Unreachable => "No adviser could be found, and the customer is told through another channel.".to_owned(),
        Status::Unresolved => {
            "An adviser took it and never said what became of it. It is not called again by itself, since the customer may have been reached."
                .to_owned()
        }
        Status::Cancelled => "The customer took it back.".to_owned(),
        Status::Refused => "There was no place; nothing was promised.".to_owned(),
    }
}

fn attempt(attempt: &Attempt) -> v1::CallbackAttempt {
    use v1::callback_attempt::Outcome as Told;
    let told = match attempt.outcome() {
        Outcome::Unspecified => Told::Unspecified,
        Outcome::Reached => Told::CustomerReached,
        Outcome::Busy => Told::CustomerBusy,
        Outcome::NoAnswer => Told::CustomerNoAnswer,
        Outcome::NoAdviser => Told::NoAdviser,
        Outcome::Interrupted => Told::Interrupted,
        Outcome::Withdrawn => Told::Withdrawn,
        Outcome::NotReported => Told::NotReported,
    };
    let words = outcome(attempt.outcome());
    v1::CallbackAttempt {
        number: attempt.number,
        started_at: attempt.started_at,
        ended_at: attempt.ended_at,
        adviser: attempt.adviser.clone(),
        outcome: told.into(),
        reason: if attempt.note.is_empty() { words.to_owned() } else { format!("{words}: {}", attempt.note) },
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unspecified => "it goes on",
        Outcome::Reached => "the customer was reached",
        Outcome::Busy => "the customer's line was busy",
        Outcome::NoAnswer => "the customer did not answer",
        Outcome::NoAdviser => "no adviser took it",
        Outcome::Interrupted => "it was interrupted before an adviser took it",
        Outcome::Withdrawn => "the customer took the wish back",
        Outcome::NotReported => "the adviser never said what became of it",
    }
}

fn step(event: &CallbackEvent, line: Option<&OpenLine>) -> v1::CallbackStep {
    let slot = |slot: i64| time(Some(Timestamp { seconds: slot, nanos: 0 }), line);
    let what = match &event.what {
        Some(What::Sought(sought)) => match sought.why() {
            Why::Rescheduled => format!("another time was asked for: {}", slot(sought.slot)),
            Why::Full => format!("full; tried at {}", slot(sought.slot)),
            Why::Closed => format!("the line was closed at the promised time; tried at {}", slot(sought.slot)),
            Why::Requested | Why::Unspecified => format!("a place was looked for at {}", slot(sought.slot)),
        },
        Some(What::SoughtInVain(vain)) => format!("no place at {}", slot(vain.slot)),
        Some(What::Promised(promised)) => format!("promised for {}", time(promised.call_at, line)),
        Some(What::Calling(calling)) => format!("attempt {}: an adviser was looked for", calling.attempt),
        Some(What::Accepted(accepted)) => format!("attempt {}: an adviser took it", accepted.attempt),
        Some(What::AttemptEnded(ended)) => format!("attempt {}: {}", ended.attempt, outcome(ended.outcome())),
        Some(What::Retried(retried)) => format!("to be called again at {}", time(retried.call_at, line)),
        Some(What::Ended(ended)) => match ended.ending() {
            Ending::Reached => "ended: the customer was reached",
            Ending::Unreachable => "ended: not reached; the customer is told through another channel",
            Ending::Unresolved => "ended: it is not known what became of it",
            Ending::Cancelled => "ended: the customer took it back",
            Ending::Refused => "ended: there was no place",
            Ending::Unspecified => "ended",
        }
        .to_owned(),
        Some(What::Requested(_) | What::Settling(_) | What::Released(_)) | None => String::new(),
    };
    v1::CallbackStep { at: event.at, what }
}

fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
