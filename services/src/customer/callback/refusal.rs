//! What a caller is told whose command was refused.

use passerelle_bus::keyed::Failure;
use tonic::{Code, Status};

use super::decide::Refusal;
use crate::customer::refusal;
pub(super) use crate::customer::refusal::of_read;

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

/// The status of a command that changed nothing.
pub(super) fn of_failure(failure: &Failure<Refusal>) -> Status {
    refusal::of_failure(failure, status)
}
