//! What a callback is after each event.

use passerelle_proto::bus::v1::callback_attempt_ended::Outcome;
use passerelle_proto::bus::v1::callback_ended::Ending;
use passerelle_proto::bus::v1::callback_event::What;
use passerelle_proto::bus::v1::callback_sought::Why;
use passerelle_proto::bus::v1::callback_state::Attempt;
use passerelle_proto::bus::v1::{CallbackAttemptEnded, CallbackEvent, CallbackPromised, CallbackSought, CallbackState};

/// Attempts that are kept.
const ATTEMPTS: usize = 32;
/// Steps that are kept.
const STEPS: usize = 64;

/// Folds one event in.
pub(super) fn evolve(state: &mut CallbackState, event: &CallbackEvent) {
    let Some(what) = &event.what else { return };
    match what {
        What::Requested(wish) => {
            state.wish = Some(wish.clone());
            state.requested_at = event.at;
        }
        What::Sought(sought) => seek(state, sought),
        What::SoughtInVain(_) => state.sought = 0,
        What::Promised(promised) => promise(state, promised),
        What::Released(released) => state.releasing.retain(|slot| *slot != released.slot),
        What::Settling(settling) => state.settling = settling.turn,
        What::Calling(calling) => {
            state.calling = calling.attempt;
            state.attempts_made = calling.attempt;
            state.attempts.push(Attempt { number: calling.attempt, started_at: event.at, ..Attempt::default() });
            keep_last(&mut state.attempts, ATTEMPTS);
        }
        What::Accepted(accepted) => {
            state.adviser.clone_from(&accepted.adviser);
            state.lease_until = accepted.lease_until;
            if let Some(attempt) = state.attempts.last_mut() {
                attempt.adviser.clone_from(&accepted.adviser);
            }
        }
        What::AttemptEnded(ended) => end_attempt(state, ended, event),
        What::Retried(retried) => state.call_at = retried.call_at,
        What::Ended(ended) => end(state, ended.ending()),
    }
    if state.sought == 0 && state.releasing.is_empty() {
        state.settling = 0;
    }
    remember(state, event);
}

fn seek(state: &mut CallbackState, sought: &CallbackSought) {
    state.sought = sought.slot;
    state.or_later = sought.or_later;
    // A slot that is tried after another one is tried for the same reason.
    if sought.why() != Why::Full {
        state.sought_why = sought.why;
    }
    match sought.why() {
        Why::Closed => state.call_at = None,
        Why::Rescheduled => state.moves += 1,
        _ => {}
    }
}

fn promise(state: &mut CallbackState, promised: &CallbackPromised) {
    if state.slot != 0 && state.slot != promised.slot {
        state.releasing.push(state.slot);
    }
    // It may have been on its way back.
    state.releasing.retain(|slot| *slot != promised.slot);
    state.slot = promised.slot;
    state.slot_end = promised.slot_end;
    state.call_at = promised.call_at;
    state.sought = 0;
}

fn end_attempt(state: &mut CallbackState, ended: &CallbackAttemptEnded, event: &CallbackEvent) {
    state.calling = 0;
    state.adviser.clear();
    state.lease_until = None;
    if matches!(ended.outcome(), Outcome::Busy | Outcome::NoAnswer) {
        state.not_reached += 1;
    }
    if let Some(attempt) = state.attempts.last_mut() {
        attempt.ended_at = event.at;
        attempt.outcome = ended.outcome;
        attempt.note.clone_from(&ended.note);
    }
}

fn end(state: &mut CallbackState, ending: Ending) {
    state.ending = ending.into();
    if ending == Ending::Cancelled {
        for slot in [std::mem::take(&mut state.slot), std::mem::take(&mut state.sought)] {
            if slot != 0 && !state.releasing.contains(&slot) {
                state.releasing.push(slot);
            }
        }
        state.slot_end = 0;
    }
    state.sought = 0;
}

/// Keeps what explains how it came to be: not the wish, not the settling, no notes (these are with the attempts).
fn remember(state: &mut CallbackState, event: &CallbackEvent) {
    let what = match &event.what {
        None | Some(What::Requested(_) | What::Settling(_) | What::Released(_)) => return,
        Some(What::AttemptEnded(ended)) => What::AttemptEnded(CallbackAttemptEnded { note: String::new(), ..ended.clone() }),
        Some(what) => what.clone(),
    };
    state.steps.push(CallbackEvent { at: event.at, what: Some(what) });
    keep_last(&mut state.steps, STEPS);
}

fn keep_last<T>(list: &mut Vec<T>, count: usize) {
    let surplus = list.len().saturating_sub(count);
    list.drain(..surplus);
}
