//! What the customer wants, and the place that it takes: request, reschedule, cancel, and what the slots answer.

use std::time::{Duration, SystemTime};

use passerelle_bus::keyed::{Context, Decision};
use passerelle_proto::bus::v1::callback_attempt_ended::Outcome;
use passerelle_proto::bus::v1::callback_ended::Ending;
use passerelle_proto::bus::v1::callback_event::What;
use passerelle_proto::bus::v1::callback_sought::Why;
use passerelle_proto::bus::v1::{
    CallbackAttemptEnded, CallbackEnded, CallbackPromised, CallbackReleased, CallbackRequested, CallbackSettling, CallbackSought,
    CallbackSoughtInVain, CallbackState,
};

use super::{
    ATTEMPT, CALL, CallbackRules, FIRST_SETTLE, LONGEST_MOVES, LONGEST_SETTLE, OpenLine, Refusal, SETTLE, Timed, happened, lives,
    moment, unchanged, unix_seconds,
};

type Decided = Decision<CallbackRules>;

impl CallbackRules {
    pub(super) fn request(
        &self,
        state: &CallbackState,
        wish: &CallbackRequested,
        slot: i64,
        now: SystemTime,
    ) -> Result<Decided, Refusal> {
        if let Some(known) = &state.wish {
            return if known == wish { Ok(unchanged()) } else { Err(Refusal::KeyReused) };
        }
        let line = self.lines.get(&wish.line).ok_or_else(|| {
            let known = self.lines.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            Refusal::UnknownLine { line: wish.line.clone(), known }
        })?;
        promisable(line, slot, now)?;
        let sought = sought(slot, wish.slot == 0, Why::Requested);
        Ok(happened(now, [What::Requested(wish.clone()), sought]).timer(SETTLE, now + FIRST_SETTLE))
    }

    pub(super) fn reschedule(
        &self,
        state: &CallbackState,
        slot: i64,
        or_later: bool,
        now: SystemTime,
    ) -> Result<Decided, Refusal> {
        waits(state)?;
        if state.calling != 0 {
            return Err(Refusal::BeingCalled);
        }
        if state.sought != 0 {
            return Err(Refusal::Seeking);
        }
        if state.moves >= LONGEST_MOVES {
            return Err(Refusal::MovedTooOften);
        }
        let line = self.line_of(state).ok_or(Refusal::NoSuchSlot)?;
        promisable(line, slot, now)?;
        if slot == state.slot && state.attempts_made == 0 {
            return Ok(unchanged());
        }
        Ok(happened(now, [sought(slot, or_later, Why::Rescheduled)]).timer(SETTLE, now + FIRST_SETTLE).clear(&[CALL]))
    }

    pub(super) fn held(&self, state: &CallbackState, slot: i64, now: SystemTime) -> Decided {
        if !lives(state) || state.sought != slot {
            return unchanged();
        }
        let length = self.line_of(state).map_or(0, |line| i64::from(line.line.slot_seconds));
        let call_at = moment(slot).max(now);
        let promised = CallbackPromised { slot, slot_end: slot + length, call_at: Some(call_at.into()) };
        let decided = happened(now, [What::Promised(promised)]).timer(CALL, call_at);
        let gives_back = !state.releasing.is_empty() || (state.slot != 0 && state.slot != slot);
        if gives_back { decided.timer(SETTLE, now + FIRST_SETTLE) } else { decided.clear(&[SETTLE]) }
    }

    pub(super) fn full(&self, state: &CallbackState, slot: i64, next: Option<i64>, context: &Context<'_>) -> Decided {
        if !lives(state) || state.sought != slot {
            return unchanged();
        }
        let now = context.now;
        let line = self.line_of(state);
        let next = next.and_then(|next| {
            let line = line?;
            // It may be over by now: then the one that goes on, or comes.
            let mut slots = line.calendar.slots(unix_seconds(now)).map(|slot| slot.start);
            slots.find(|start| *start >= next).filter(|start| promisable(line, *start, now).is_ok())
        });
        match (next, state.sought_why()) {
            (Some(next), why) if state.or_later => {
                let why = if why == Why::Closed { Why::Closed } else { Why::Full };
                happened(now, [sought(next, true, why)]).timer(SETTLE, now + FIRST_SETTLE)
            }
            // The line is gone: nobody will ever call.
            (_, Why::Closed) if line.is_none() => self.unreachable(state, Vec::new(), context),
            // The promise was made: a place will be found, if not now.
            (_, Why::Closed) => happened(now, [sought(slot, true, Why::Closed)]).timer(SETTLE, now + LONGEST_SETTLE),
            _ => in_vain(state, slot, now),
        }
    }

    pub(super) fn released(&self, state: &CallbackState, slot: i64, now: SystemTime) -> Decided {
        if !state.releasing.contains(&slot) {
            return unchanged();
        }
        let decided = happened(now, [What::Released(CallbackReleased { slot })]);
        let settled = state.sought == 0 && state.releasing.iter().all(|other| *other == slot);
        if settled { decided.clear(&[SETTLE]) } else { decided }
    }

    pub(super) fn settle(&self, state: &CallbackState, now: SystemTime) -> Decided {
        if state.sought == 0 && state.releasing.is_empty() {
            return unchanged();
        }
        let turn = state.settling + 1;
        let pause = FIRST_SETTLE.saturating_mul(2_u32.saturating_pow(turn.min(8))).min(LONGEST_SETTLE);
        happened(now, [What::Settling(CallbackSettling { turn })]).timer(SETTLE, now + pause)
    }
}

/// The customer takes it back: possible until an adviser has it.
pub(super) fn cancelled(state: &CallbackState, now: SystemTime) -> Result<Decided, Refusal> {
    if state.ending() == Ending::Cancelled {
        return Ok(unchanged());
    }
    waits(state)?;
    let withdrawn =
        |attempt| What::AttemptEnded(CallbackAttemptEnded { attempt, outcome: Outcome::Withdrawn.into(), note: String::new() });
    let attempt = (state.calling != 0).then(|| withdrawn(state.calling));
    let ended = What::Ended(CallbackEnded { ending: Ending::Cancelled.into() });
    let decided = happened(now, attempt.into_iter().chain([ended])).clear(&[CALL, ATTEMPT]);
    let gives_back = state.slot != 0 || state.sought != 0 || !state.releasing.is_empty();
    Ok(if gives_back { decided.timer(SETTLE, now + FIRST_SETTLE) } else { decided.clear(&[SETTLE]) })
}

/// There, not ended, and no adviser has it.
fn waits(state: &CallbackState) -> Result<(), Refusal> {
    match state {
        CallbackState { wish: None, .. } => Err(Refusal::Unknown),
        state if !lives(state) => Err(Refusal::Ended),
        state if !state.adviser.is_empty() => Err(Refusal::BeingCalled),
        _ => Ok(()),
    }
}

/// No place: what was promised before stands; where nothing was, it ends here.
fn in_vain(state: &CallbackState, slot: i64, now: SystemTime) -> Decided {
    let in_vain = What::SoughtInVain(CallbackSoughtInVain { slot });
    let call_at = state.call_at.and_then(|at| SystemTime::try_from(at).ok());
    let decided = match call_at {
        Some(call_at) => happened(now, [in_vain]).timer(CALL, call_at),
        None => happened(now, [in_vain, What::Ended(CallbackEnded { ending: Ending::Refused.into() })]),
    };
    if state.releasing.is_empty() { decided.clear(&[SETTLE]) } else { decided }
}

fn sought(slot: i64, or_later: bool, why: Why) -> What {
    What::Sought(CallbackSought { slot, or_later, why: why.into() })
}

/// Whether a call can be promised for the slot that begins then: it is one, not over, and not too far ahead.
fn promisable(line: &OpenLine, slot: i64, now: SystemTime) -> Result<(), Refusal> {
    let days = line.line.horizon_days;
    if moment(slot) > now + Duration::from_secs(u64::from(days) * 86_400) {
        return Err(Refusal::TooFar { days });
    }
    let slot = line.calendar.slot_at(slot).ok_or(Refusal::NoSuchSlot)?;
    if slot.end <= unix_seconds(now) { Err(Refusal::Past) } else { Ok(()) }
}
