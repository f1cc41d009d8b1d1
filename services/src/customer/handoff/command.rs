//! What can be asked of a hand-off, checked and complete: chance and durations stand in it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::secret::Drawn;

/// A command. `Debug` shows its sort only: the rest is personal.
#[derive(Clone, PartialEq)]
pub(super) enum Command {
    /// Offers a matter.
    Offer(Offer),
    /// Replaces the code.
    IssueCode {
        /// Channel that asks.
        channel: String,
        /// The new code.
        code: Drawn,
    },
    /// Becomes the owner.
    Take {
        /// By what right.
        by: Right,
        /// His channel.
        channel: String,
        /// His name there.
        owner: String,
    },
    /// Keeps the lease.
    Renew {
        /// The owner's number.
        fence: u64,
    },
    /// Gets on.
    Progress {
        /// The owner's number.
        fence: u64,
        /// What the owner has seen.
        expected_revision: u64,
        /// Step reached; empty: the same.
        step: String,
        /// What has become known.
        answers: BTreeMap<String, String>,
    },
    /// The owner gives it back.
    GiveBack {
        /// The owner's number.
        fence: u64,
    },
    /// The channel that offered it takes it back.
    TakeBack {
        /// That channel.
        channel: String,
    },
    /// The owner has done it.
    Complete {
        /// The owner's number.
        fence: u64,
        /// What the owner has seen.
        expected_revision: u64,
    },
    /// A timer is due.
    TimeIsUp,
}

/// A matter to offer.
#[derive(Clone, PartialEq)]
pub(super) struct Offer {
    /// Key of the customer.
    pub(super) customer: String,
    /// Channel that offers.
    pub(super) from_channel: String,
    /// Channel that it is offered to; empty: any.
    pub(super) to_channel: String,
    /// What it is about.
    pub(super) matter: String,
    /// Step reached.
    pub(super) step: String,
    /// What is known so far.
    pub(super) answers: BTreeMap<String, String>,
    /// How long it is offered.
    pub(super) time_to_live: Duration,
    /// Its code.
    pub(super) code: Drawn,
}

/// By what right somebody takes a matter.
#[derive(Clone, PartialEq)]
pub(super) enum Right {
    /// The code of this hash.
    Code(Vec<u8>),
    /// It is offered to his channel.
    Listed,
}

impl fmt::Debug for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Offer(_) => "Offer",
            Self::IssueCode { .. } => "IssueCode",
            Self::Take { by: Right::Code(_), .. } => "Resume",
            Self::Take { by: Right::Listed, .. } => "Accept",
            Self::Renew { .. } => "Renew",
            Self::Progress { .. } => "Progress",
            Self::GiveBack { .. } => "GiveBack",
            Self::TakeBack { .. } => "TakeBack",
            Self::Complete { .. } => "Complete",
            Self::TimeIsUp => "TimeIsUp",
        })
    }
}
