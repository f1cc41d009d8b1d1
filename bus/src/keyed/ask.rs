//! What a shard is asked, and how it answers.

use passerelle_journal::Position;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::alarm::Alarm;
use super::key::Key;
use super::{Decider, Done, Failure};

/// Something asked of one key.
pub(super) enum Ask<D: Decider> {
    /// Decide.
    Command(Command<D>),
    /// Say what is durable.
    State(Reply<D, Option<(D::State, u64)>>),
    /// A timer is due.
    Due(Due),
    /// Write a snapshot, if records before a position are needed without it; how large it is, or none.
    Keep(Position, Reply<D, Option<usize>>),
}

/// An ask with its key.
pub(super) struct Letter<D: Decider> {
    pub(super) key: Key,
    pub(super) ask: Ask<D>,
}

/// A command.
pub(super) struct Command<D: Decider> {
    /// Empty: none.
    pub(super) idempotency_key: String,
    pub(super) command: D::Command,
    pub(super) reply: Reply<D, Done<D::Answer>>,
}

/// A timer that is due.
pub(super) struct Due {
    pub(super) alarm: Alarm,
    /// Answered when its record has its place among the others, or there will be none.
    pub(super) taken: oneshot::Sender<Taken>,
    pub(super) permit: OwnedSemaphorePermit,
}

/// What became of a timer that is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It fired; the record is on its way.
    Fired,
    /// It was taken back, replaced or fired before.
    NotPending,
    /// The key's state cannot be had.
    Failed(String),
}

/// Where an answer goes. As long as it is held, it takes one of the shard's places.
pub(super) struct Reply<D: Decider, T> {
    sender: oneshot::Sender<Result<T, Failure<D::Refusal>>>,
    _permit: OwnedSemaphorePermit,
}

impl<D: Decider, T> Reply<D, T> {
    /// The two ends.
    #[expect(clippy::type_complexity, reason = "the receiver of one answer")]
    pub(super) fn open(permit: OwnedSemaphorePermit) -> (Self, oneshot::Receiver<Result<T, Failure<D::Refusal>>>) {
        let (sender, receiver) = oneshot::channel();
        (Self { sender, _permit: permit }, receiver)
    }

    pub(super) fn send(self, answer: Result<T, Failure<D::Refusal>>) {
        // Whoever asked may have gone.
        let _ = self.sender.send(answer);
    }
}

impl<D: Decider> Ask<D> {
    /// It cannot be done.
    pub(super) fn fail(self, failure: &Failure<D::Refusal>) {
        match self {
            Self::Command(Command { reply, .. }) => reply.send(Err(failure.clone())),
            Self::Keep(_, reply) => reply.send(Err(failure.clone())),
            Self::State(reply) => reply.send(Err(failure.clone())),
            Self::Due(Due { taken, .. }) => {
                let _ = taken.send(Taken::Failed(failure.to_string()));
            }
        }
    }
}
