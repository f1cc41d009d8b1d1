//! One lane: the messages of one key to one destination, of which one at a time is under way.

use std::collections::VecDeque;
use std::time::Instant;

use super::Waiting;
use crate::delivery::{Pending, Place};

/// What a lane is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// In the line of those that may go.
    Ready,
    /// Its first message is with the destination.
    UnderWay,
    /// Its first message waits for its next attempt.
    Asleep(Instant),
    /// All messages in memory are done; there are more in the journal.
    Drained,
}

/// Messages of one key that are not settled yet, in their order.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) state: State,
    /// Attempts that the first message has had.
    pub(super) attempts: u32,
    /// The message of which an attempt was begun, and written down as such.
    pub(super) begun: Option<Place>,
    /// From here on the lane's messages are in the journal alone. `None`: all that were read are in memory.
    pub(super) left_from: Option<Place>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self { waiting: VecDeque::new(), state: State::Drained, attempts: 0, begun: None, left_from: None }
    }

    /// The first message that is not settled: in memory, or left in the journal.
    pub(super) fn first(&self) -> Option<Place> {
        self.waiting.front().map(|waiting| waiting.place).or(self.left_from)
    }

    /// What is written down of it.
    pub(super) fn pending(&self) -> Option<Pending> {
        let first = self.first()?;
        Some(Pending { first, attempts: self.attempts, is_begun: self.begun == Some(first) })
    }
}
