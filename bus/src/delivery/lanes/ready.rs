//! The lanes whose next message may go: by priority, and in turn within one.

use std::collections::VecDeque;

use super::LaneId;

/// Priorities are 0 to 9; 9 goes first.
pub(super) const PRIORITIES: usize = 10;

/// Lanes in the order in which they are served.
#[derive(Debug, Default)]
pub(super) struct Ready {
    by_priority: [VecDeque<LaneId>; PRIORITIES],
}

impl Ready {
    /// Puts a lane at the end of its priority's line, so that a lane of many messages waits for all others after each.
    pub(super) fn push(&mut self, lane: LaneId, priority: u8) {
        self.by_priority[usize::from(priority).min(PRIORITIES - 1)].push_back(lane);
    }

    /// The lane that is served next.
    pub(super) fn pop(&mut self) -> Option<LaneId> {
        self.by_priority.iter_mut().rev().find_map(VecDeque::pop_front)
    }
}
