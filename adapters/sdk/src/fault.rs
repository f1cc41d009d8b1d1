//! Why a call failed, in the few classes that decide what the bus may do next.

use std::time::Duration;

/// A failed call. The class decides what the bus may do (retry, open a breaker, look the effect up); the message is for
/// people and never holds personal data or secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The back office understood and said no. A business answer: no retry, no breaker.
    #[error("{message}")]
    Rejected {
        /// What sort of no.
        reason: Rejection,
        /// Why, for people.
        message: String,
    },
    /// The back office asks for fewer calls.
    #[error("{message}")]
    Throttled {
        /// When to come back.
        retry_after: Duration,
        /// Why, for people.
        message: String,
    },
    /// The back office could not be reached; no effect has happened.
    #[error("{message}")]
    Unavailable {
        /// When to come back, if known.
        retry_after: Option<Duration>,
        /// Why, for people.
        message: String,
    },
    /// The back office does not accept the bus's credentials.
    #[error("{message}")]
    Unauthenticated {
        /// Why, for people.
        message: String,
    },
    /// The deadline passed. Unlike [`Fault::Unknown`], the caller has stopped waiting; the effect may have happened.
    #[error("{message}")]
    DeadlineExceeded {
        /// What was being waited for.
        message: String,
    },
    /// The call broke off after it may have had its effect, or its answer cannot be read: never retried blindly.
    #[error("{message}")]
    Unknown {
        /// What was seen.
        message: String,
    },
    /// This adapter does not serve that method.
    #[error("{message}")]
    Unimplemented {
        /// What is served instead.
        message: String,
    },
}

/// What sort of "no" a business refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The request itself is wrong (gRPC `INVALID_ARGUMENT`).
    Invalid,
    /// Somebody else changed it meanwhile (gRPC `ABORTED`).
    Conflict,
    /// There is no such thing (gRPC `NOT_FOUND`).
    NotFound,
    /// Not allowed (gRPC `PERMISSION_DENIED`).
    Denied,
    /// Not in the state that this needs (gRPC `FAILED_PRECONDITION`).
    Precondition,
}

impl Fault {
    /// A business refusal.
    pub fn rejected(reason: Rejection, message: impl Into<String>) -> Self {
        Self::Rejected { reason, message: message.into() }
    }

    /// Not reachable, nothing happened.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable { retry_after: None, message: message.into() }
    }

    /// The effect may have happened.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::Unknown { message: message.into() }
    }
}
