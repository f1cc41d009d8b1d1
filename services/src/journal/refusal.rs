//! What a caller is told when the journal says no.

use passerelle_bus::keyed::Failure;
use passerelle_journal::{AppendError, ReadError};
use tonic::Status;

use super::message::Fault;

/// The message of that number, counted from 0, is not taken.
pub(super) fn of_message(number: u64, fault: &Fault) -> Status {
    Status::invalid_argument(format!("message {number} (counted from 0): {fault}"))
}

/// Nothing was written.
pub(crate) fn of_append(error: &AppendError) -> Status {
    match error {
        AppendError::TooLarge(_) => Status::invalid_argument(error.to_string()),
        AppendError::Full(_) => Status::resource_exhausted(error.to_string()),
        AppendError::Failed(_) | AppendError::Closed => Status::unavailable(error.to_string()),
    }
}

/// Nothing can be read there.
pub(crate) fn of_read(error: &ReadError) -> Status {
    match error {
        ReadError::Trimmed { .. } => Status::out_of_range(error.to_string()),
        ReadError::Damaged { .. } => Status::data_loss(error.to_string()),
        ReadError::Disk(_) => Status::unavailable(error.to_string()),
    }
}

/// An acknowledgement was not written, or cannot be looked up.
pub(super) fn of_command(failure: &Failure<std::convert::Infallible>) -> Status {
    match failure {
        Failure::Refused(never) => match *never {},
        Failure::Journal(error) => of_append(error),
        Failure::Unreadable(error) => of_read(error),
        Failure::Damaged { .. } => Status::data_loss(failure.to_string()),
        Failure::Conflict { .. } => Status::aborted(failure.to_string()),
        Failure::Busy | Failure::Closed | Failure::Behind(_) => Status::unavailable(failure.to_string()),
    }
}

/// The bus goes.
pub(crate) fn stopping() -> Status {
    Status::unavailable("the bus is being stopped; try again in a moment")
}
