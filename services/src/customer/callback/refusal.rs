//! What a caller is told whose command changed nothing.

use passerelle_bus::keyed::Failure;
use passerelle_journal::AppendError;
use passerelle_projection::ReadError;
use tonic::{Code, Status};

use super::decide::Refusal;

/// The status of a refusal.
pub(super) fn status(refusal: &Refusal) -> Status {
    let code = match refusal {
        Refusal::Unknown | Refusal::UnknownLine { .. } => Code::NotFound,
        Refusal::KeyReused => Code::AlreadyExists,
        Refusal::NoSuchSlot
        | Refusal::Past
        | Refusal::TooFar { .. }
        | Refusal::Ended
        | Refusal::BeingCalled
        | Refusal::Seeking
        | Refusal::MovedTooOften
        | Refusal::Withdrawn => Code::FailedPrecondition,
    };
    Status::new(code, refusal.to_string())
}

/// The status of a failure of any decider whose refusals are [`status`].
pub(super) fn of_failure(failure: &Failure<Refusal>) -> Status {
    match failure {
        Failure::Refused(refusal) => status(refusal),
        other => Status::new(code(other), other.to_string()),
    }
}

/// The class of what is no refusal.
pub(super) fn code<R>(failure: &Failure<R>) -> Code {
    match failure {
        Failure::Refused(_) => Code::FailedPrecondition,
        Failure::Busy | Failure::Journal(AppendError::Full(_)) => Code::ResourceExhausted,
        Failure::Journal(AppendError::TooLarge(_)) => Code::InvalidArgument,
        Failure::Closed
        | Failure::Conflict { .. }
        | Failure::Behind(_)
        | Failure::Journal(AppendError::Failed(_) | AppendError::Closed) => Code::Unavailable,
        Failure::Unreadable(_) | Failure::Damaged { .. } => Code::Internal,
    }
}

/// What a caller is told for whom nothing can be read.
pub(super) fn of_read(error: &ReadError) -> Status {
    let code = match error {
        ReadError::Behind { .. } | ReadError::Stopped(_) => Code::Unavailable,
        ReadError::TooLong { .. } => Code::ResourceExhausted,
        ReadError::Database(_) => Code::Internal,
    };
    Status::new(code, error.to_string())
}
