//! What a caller is told when a service cannot do as asked, for reasons that are none of its rules.

use passerelle_bus::keyed::Failure;
use passerelle_journal::AppendError;
use passerelle_projection::ReadError;
use tonic::{Code, Status};

/// The status of a command that changed nothing; the service says what its own refusals are.
pub(super) fn of_failure<R: std::error::Error>(failure: &Failure<R>, of_refusal: fn(&R) -> Status) -> Status {
    let code = match failure {
        Failure::Refused(refusal) => return of_refusal(refusal),
        Failure::Busy | Failure::Journal(AppendError::Full(_)) => Code::ResourceExhausted,
        Failure::Journal(AppendError::TooLarge(_)) => Code::InvalidArgument,
        Failure::Closed
        | Failure::Conflict { .. }
        | Failure::Behind(_)
        | Failure::Journal(AppendError::Failed(_) | AppendError::Closed) => Code::Unavailable,
        Failure::Unreadable(_) | Failure::Damaged { .. } => Code::Internal,
    };
    Status::new(code, failure.to_string())
}

/// The status of a question that the tables do not answer.
pub(super) fn of_read(error: &ReadError) -> Status {
    let code = match error {
        ReadError::Behind { .. } | ReadError::Stopped(_) => Code::Unavailable,
        ReadError::TooLong { .. } => Code::ResourceExhausted,
        ReadError::Database(_) => Code::Internal,
    };
    Status::new(code, error.to_string())
}
