//! What the adapter said, or failed to say, as a fault.

use std::error::Error as _;
use std::time::Duration;

use passerelle_adapter::{Fault, Health, Lookup, Rejection};
use passerelle_proto::adapter::v1::fault::Class;
use passerelle_proto::adapter::v1::health_response::State;
use passerelle_proto::adapter::v1::{self, lookup_response};
use tonic::{Code, Status};

/// Characters of an adapter's text at most.
const LONGEST_TEXT: usize = 1_024;
/// When a throttled caller comes back where the adapter does not say.
const COME_BACK: Duration = Duration::from_secs(1);

/// The adapter's own word.
pub(crate) fn of(fault: v1::Fault) -> Fault {
    let message: String = fault.message.chars().take(LONGEST_TEXT).collect();
    let duration = |duration: Option<prost_types::Duration>| duration.and_then(|duration| Duration::try_from(duration).ok());
    match fault.class {
        Some(Class::Rejected(reason)) => Fault::Rejected { reason: rejection(reason), message },
        Some(Class::Throttled(throttled)) => {
            Fault::Throttled { retry_after: duration(throttled.retry_after).unwrap_or(COME_BACK), message }
        }
        Some(Class::Unavailable(unavailable)) => Fault::Unavailable { retry_after: duration(unavailable.retry_after), message },
        Some(Class::Unauthenticated(_)) => Fault::Unauthenticated { message },
        Some(Class::DeadlineExceeded(_)) => Fault::DeadlineExceeded { message },
        Some(Class::Unimplemented(_)) => Fault::Unimplemented { message },
        // A class that this version does not know decides nothing: the careful one holds.
        Some(Class::Unknown(_)) | None => Fault::Unknown { message },
    }
}

fn rejection(reason: i32) -> Rejection {
    match v1::Rejection::try_from(reason) {
        Ok(v1::Rejection::Conflict) => Rejection::Conflict,
        Ok(v1::Rejection::NotFound) => Rejection::NotFound,
        Ok(v1::Rejection::Denied) => Rejection::Denied,
        Ok(v1::Rejection::Precondition) => Rejection::Precondition,
        _ => Rejection::Invalid,
    }
}

/// A call whose stream failed. Only what certainly never reached the adapter is `Unavailable`.
pub(crate) fn of_break(status: &Status) -> Fault {
    let text = |what: &str| format!("{what}: {}", status.message().chars().take(LONGEST_TEXT).collect::<String>());
    match status.code() {
        _ if was_not_sent(status) => Fault::unavailable("the connection to the adapter was lost before the call was sent"),
        Code::Unimplemented => Fault::Unimplemented { message: text("the process does not serve the port") },
        Code::DeadlineExceeded => Fault::DeadlineExceeded { message: "the adapter did not end within the deadline".to_owned() },
        _ => Fault::unknown(text("the adapter broke the call off, which may have had its effect")),
    }
}

/// hyper says so of requests that it never wrote; a peer that goes says so of those that it did not look at.
fn was_not_sent(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.downcast_ref::<hyper::Error>().is_some_and(|error| error.is_canceled() || error.is_closed()) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What became of an operation.
pub(crate) fn lookup(response: v1::LookupResponse) -> Result<Lookup, Fault> {
    match response.what {
        Some(lookup_response::What::Done(answer)) => Ok(Lookup::Done(answer)),
        Some(lookup_response::What::NotDone(_)) => Ok(Lookup::NotDone),
        Some(lookup_response::What::Undecided(_)) => Ok(Lookup::Undecided),
        Some(lookup_response::What::Fault(fault)) => Err(of(fault)),
        None => Err(Fault::unknown("the adapter's answer to a look-up says nothing that this version knows")),
    }
}

/// How well it is.
pub(crate) fn health(response: v1::HealthResponse) -> Health {
    let state = response.state();
    let reason = response.reason.chars().take(LONGEST_TEXT).collect();
    match state {
        State::Ready => Health::Ready,
        State::Degraded => Health::Degraded { reason },
        State::Down | State::Unspecified => Health::Down { reason },
    }
}
