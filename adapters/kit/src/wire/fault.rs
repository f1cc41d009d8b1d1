//! Faults as they come over the wire, and what the bus makes of them.

use std::time::Duration;

use passerelle_adapter::{Fault, Rejection};
use passerelle_proto::adapter::v1::{self, fault::Class};
use tonic::Status;

/// A fault without a class.
#[derive(Debug)]
pub(crate) struct Unclassified;

/// The fault that the port knows.
pub(crate) fn class(fault: &v1::Fault) -> Result<Fault, Unclassified> {
    let message = fault.message.clone();
    let duration = |time: prost_types::Duration| Duration::try_from(time).unwrap_or_default();
    Ok(match fault.class.as_ref().ok_or(Unclassified)? {
        Class::Rejected(reason) => Fault::Rejected { reason: rejection(*reason), message },
        Class::Throttled(throttled) => {
            Fault::Throttled { retry_after: throttled.retry_after.map(duration).unwrap_or_default(), message }
        }
        Class::Unavailable(unavailable) => Fault::Unavailable { retry_after: unavailable.retry_after.map(duration), message },
        Class::Unauthenticated(_) => Fault::Unauthenticated { message },
        Class::DeadlineExceeded(_) => Fault::DeadlineExceeded { message },
        Class::Unknown(_) => Fault::Unknown { message },
        Class::Unimplemented(_) => Fault::Unimplemented { message },
    })
}

fn rejection(reason: i32) -> Rejection {
    match v1::Rejection::try_from(reason).unwrap_or_default() {
        v1::Rejection::Unspecified | v1::Rejection::Invalid => Rejection::Invalid,
        v1::Rejection::Conflict => Rejection::Conflict,
        v1::Rejection::NotFound => Rejection::NotFound,
        v1::Rejection::Denied => Rejection::Denied,
        v1::Rejection::Precondition => Rejection::Precondition,
    }
}

/// A fault as the bus takes it: without a class, the effect may have happened.
pub(super) fn taken(fault: &v1::Fault) -> Fault {
    class(fault).unwrap_or_else(|Unclassified| Fault::unknown(format!("a fault without a class: {}", fault.message)))
}

/// A failed call: the adapter itself failed, so that the effect may have happened.
pub(super) fn failed(status: &Status) -> Fault {
    Fault::unknown(format!("the adapter failed with the gRPC status {:?}: {}", status.code(), status.message()))
}
