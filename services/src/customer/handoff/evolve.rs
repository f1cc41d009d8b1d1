//! What a hand-off is after something happened.

use passerelle_proto::bus::v1::handoff_event::What;
use passerelle_proto::bus::v1::handoff_state::Phase;
use passerelle_proto::bus::v1::{HandoffEnd, HandoffEvent, HandoffOpen, HandoffOwned, HandoffState};

use super::moments::{duration, later};

/// Things remembered besides the offer.
const REMEMBERED: usize = 49;

/// Applies an event.
pub(super) fn evolve(state: &mut HandoffState, event: &HandoffEvent) {
    let Some(what) = &event.what else { return };
    state.changed_at = event.at;
    match what {
        What::Offered(offered) => {
            state.customer.clone_from(&offered.customer);
            state.from_channel.clone_from(&offered.from_channel);
            state.to_channel.clone_from(&offered.to_channel);
            state.matter.clone_from(&offered.matter);
            state.step.clone_from(&offered.step);
            state.answers.clone_from(&offered.answers);
            state.time_to_live = offered.time_to_live;
            state.revision = 1;
            state.offered_at = event.at;
            open(state, event, offered.code.clone());
        }
        What::CodeIssued(issued) => {
            if let Some(Phase::Open(open)) = &mut state.phase {
                open.code.clone_from(&issued.code);
            }
        }
        What::Taken(taken) => {
            state.fence += 1;
            let owned =
                HandoffOwned { channel: taken.channel.clone(), owner: taken.owner.clone(), lease_until: taken.lease_until };
            state.phase = Some(Phase::Owned(owned));
        }
        What::Renewed(renewed) => lease(state, renewed.lease_until),
        What::Progressed(progressed) => {
            if !progressed.step.is_empty() {
                state.step.clone_from(&progressed.step);
            }
            state.answers.extend(progressed.answers.clone());
            state.revision += 1;
            lease(state, progressed.lease_until);
        }
        What::OfferedAgain(_) => open(state, event, None),
        What::Ended(ended) => state.phase = Some(Phase::End(HandoffEnd { ending: ended.ending })),
    }
    remember(state, event);
}

/// Offered from the event on, for the whole time to live.
fn open(state: &mut HandoffState, event: &HandoffEvent, code: Option<passerelle_proto::bus::v1::HandoffCode>) {
    let until = event.at.map(|at| later(at, duration(state.time_to_live)));
    state.phase = Some(Phase::Open(HandoffOpen { until, code }));
}

fn lease(state: &mut HandoffState, until: Option<prost_types::Timestamp>) {
    if let Some(Phase::Owned(owned)) = &mut state.phase {
        owned.lease_until = until;
    }
}

/// Keeps what the history tells: who, where, which step; no answers, no codes, no mere renewals.
fn remember(state: &mut HandoffState, event: &HandoffEvent) {
    let mut event = event.clone();
    match &mut event.what {
        Some(What::Renewed(_)) | None => return,
        Some(What::Offered(offered)) => {
            // The state has them.
            offered.answers.clear();
            offered.customer.clear();
            offered.code = None;
        }
        Some(What::CodeIssued(issued)) => issued.code = None,
        // The names of the questions stay: what was learnt is told without the answers.
        Some(What::Progressed(progressed)) => progressed.answers.values_mut().for_each(String::clear),
        Some(What::Taken(_) | What::OfferedAgain(_) | What::Ended(_)) => {}
    }
    state.history.push(event);
    if state.history.len() > REMEMBERED + 1 {
        state.history.remove(1);
    }
}
