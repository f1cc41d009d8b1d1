//! Faults, and what became of an operation, in the words of the wire.

use passerelle_adapter::{Fault, Lookup, Rejection};
use passerelle_proto::adapter::v1::fault::Class;
use passerelle_proto::adapter::v1::{self, lookup_response};
use prost_types::Duration as WireDuration;

/// Characters of a fault's text at most, as the contract says.
const LONGEST_TEXT: usize = 1_024;

/// A fault, as the bus reads it.
pub(crate) fn of(fault: Fault) -> v1::Fault {
    let duration = |duration| WireDuration::try_from(duration).ok();
    let (class, message) = match fault {
        Fault::Rejected { reason, message } => (Class::Rejected(rejection(reason).into()), message),
        Fault::Throttled { retry_after, message } => {
            (Class::Throttled(v1::Throttled { retry_after: duration(retry_after) }), message)
        }
        Fault::Unavailable { retry_after, message } => {
            (Class::Unavailable(v1::Unavailable { retry_after: retry_after.and_then(duration) }), message)
        }
        Fault::Unauthenticated { message } => (Class::Unauthenticated(v1::Unauthenticated {}), message),
        Fault::DeadlineExceeded { message } => (Class::DeadlineExceeded(v1::DeadlineExceeded {}), message),
        Fault::Unknown { message } => (Class::Unknown(v1::Unknown {}), message),
        Fault::Unimplemented { message } => (Class::Unimplemented(v1::Unimplemented {}), message),
    };
    v1::Fault { message: message.chars().take(LONGEST_TEXT).collect(), class: Some(class) }
}

/// What became of an operation, as the bus reads it.
pub(crate) fn lookup(outcome: Result<Lookup, Fault>) -> v1::LookupResponse {
    let what = match outcome {
        Ok(Lookup::Done(answer)) => lookup_response::What::Done(answer),
        Ok(Lookup::NotDone) => lookup_response::What::NotDone(v1::NotDone {}),
        Ok(Lookup::Undecided) => lookup_response::What::Undecided(v1::Undecided {}),
        Err(fault) => lookup_response::What::Fault(of(fault)),
    };
    v1::LookupResponse { what: Some(what) }
}

fn rejection(reason: Rejection) -> v1::Rejection {
    match reason {
        Rejection::Invalid => v1::Rejection::Invalid,
        Rejection::Conflict => v1::Rejection::Conflict,
        Rejection::NotFound => v1::Rejection::NotFound,
        Rejection::Denied => v1::Rejection::Denied,
        Rejection::Precondition => v1::Rejection::Precondition,
    }
}
