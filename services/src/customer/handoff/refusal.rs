//! Why a hand-off refuses a command, and what the caller is told.

use std::time::SystemTime;

use passerelle_bus::keyed::Failure;
use passerelle_proto::bus::v1::HandoffEnding;
use tonic::{Code, Status};

use crate::customer::refusal;
pub(super) use crate::customer::refusal::of_read;

/// A refusal. Names channels, steps of time and numbers, never people or answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// There is no such hand-off.
    #[error("there is no such hand-off")]
    Unknown,
    /// The same offer was made long ago; its answer is not kept any more.
    #[error("this offer was made before and its first answer is not kept any more; ask for a code of hand-off {0}")]
    Known(String),
    /// Somebody owns it.
    #[error("the matter is owned by channel {channel} until {}", moment(*.until))]
    Owned {
        /// The owner's channel.
        channel: String,
        /// End of his lease.
        until: SystemTime,
    },
    /// It is over.
    #[error("the hand-off has ended: it {}", ended(*.0))]
    Ended(HandoffEnding),
    /// The caller is not the owner, nobody is.
    #[error("the lease of fence {fence} has ended; nobody owns the matter until it is taken again")]
    NobodyOwns {
        /// What the caller takes for his number.
        fence: u64,
    },
    /// The caller is not the owner, somebody else is.
    #[error("fence {fence} does not own the matter: channel {channel} does until {}", moment(*.until))]
    Fenced {
        /// What the caller takes for his number.
        fence: u64,
        /// The owner's channel.
        channel: String,
        /// End of his lease.
        until: SystemTime,
    },
    /// The code was the right one once.
    #[error("the code was used or replaced; ask for a new one")]
    CodeVoid,
    /// The code's time is over.
    #[error("the code is too old since {}; ask for a new one", moment(*.0))]
    CodeTooOld(SystemTime),
    /// Not for this channel.
    #[error("the matter is offered to channel {0}; others resume it by its code")]
    OfferedTo(String),
    /// Not of this channel.
    #[error("the matter was offered by channel {0}, which alone can take it back")]
    OfferedBy(String),
    /// The caller has not seen the newest.
    #[error("the matter is at revision {at}, not {expected}; read it and try again")]
    Revision {
        /// What it is at.
        at: u64,
        /// What the caller expected.
        expected: u64,
    },
    /// Too much would be known.
    #[error(
        "the context would hold {answers} answers in {bytes} bytes, at most {} in {} bytes are kept",
        super::context::MOST_ANSWERS,
        super::context::MOST_BYTES
    )]
    ContextFull {
        /// How many.
        answers: usize,
        /// How large.
        bytes: usize,
    },
}

/// A moment in UTC, to the second.
pub(super) fn moment(at: SystemTime) -> String {
    let second = at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let second = i64::try_from(second).ok().and_then(|second| jiff::Timestamp::from_second(second).ok());
    second.map_or_else(|| "a time out of range".to_owned(), |second| second.to_string())
}

fn ended(ending: HandoffEnding) -> &'static str {
    match ending {
        HandoffEnding::Completed => "was completed",
        HandoffEnding::TakenBack => "was taken back",
        HandoffEnding::Expired | HandoffEnding::Unspecified => "was not taken in time",
    }
}

/// What a refused caller is told.
pub(super) fn status(refusal: &Refusal) -> Status {
    let code = match refusal {
        Refusal::Unknown => Code::NotFound,
        Refusal::Known(_) => Code::AlreadyExists,
        Refusal::Revision { .. } => Code::Aborted,
        Refusal::Owned { .. }
        | Refusal::Ended(_)
        | Refusal::NobodyOwns { .. }
        | Refusal::Fenced { .. }
        | Refusal::CodeVoid
        | Refusal::CodeTooOld(_)
        | Refusal::OfferedTo(_)
        | Refusal::OfferedBy(_)
        | Refusal::ContextFull { .. } => Code::FailedPrecondition,
    };
    Status::new(code, refusal.to_string())
}

/// The status of a command that changed nothing.
pub(super) fn of_failure(failure: &Failure<Refusal>) -> Status {
    refusal::of_failure(failure, status)
}
