//! A hand-off as channels see it.

use passerelle_proto::bus::v1::handoff_state::Phase;
use passerelle_proto::bus::v1::{HandoffEnding, HandoffState};
use passerelle_proto::customer::v1::handoff::Status;
use passerelle_proto::customer::v1::{Handoff, HandoffContext};

/// The hand-off without its context.
pub(super) fn without_context(id: &str, state: HandoffState) -> Handoff {
    let status = status(&state);
    let (owner_channel, owner, until) = match state.phase {
        Some(Phase::Open(open)) => (String::new(), String::new(), open.until),
        Some(Phase::Owned(owned)) => (owned.channel, owned.owner, owned.lease_until),
        Some(Phase::End(_)) | None => (String::new(), String::new(), state.changed_at),
    };
    Handoff {
        id: id.to_owned(),
        customer: state.customer,
        from_channel: state.from_channel,
        to_channel: state.to_channel,
        matter: state.matter,
        step: state.step,
        context: None,
        revision: state.revision,
        status: status.into(),
        fence: state.fence,
        owner_channel,
        owner,
        until,
        offered_at: state.offered_at,
        changed_at: state.changed_at,
    }
}

/// The hand-off with its context.
pub(super) fn with_context(id: &str, mut state: HandoffState) -> Handoff {
    let answers = std::mem::take(&mut state.answers);
    Handoff { context: Some(HandoffContext { answers }), ..without_context(id, state) }
}

/// Where it stands.
pub(super) fn status(state: &HandoffState) -> Status {
    match &state.phase {
        None => Status::Unspecified,
        Some(Phase::Open(_)) => Status::Offered,
        Some(Phase::Owned(_)) => Status::Owned,
        Some(Phase::End(end)) => match end.ending() {
            HandoffEnding::Completed => Status::Completed,
            HandoffEnding::TakenBack => Status::TakenBack,
            HandoffEnding::Expired | HandoffEnding::Unspecified => Status::Expired,
        },
    }
}
