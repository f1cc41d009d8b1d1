//! How far a destination has got: what survives a restart.

use std::collections::BTreeMap;

use super::lanes::LaneId;
use super::{Place, Receipt};

/// Everything before the frontier is settled, but of the lanes that are named what is at their first place or after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where to read on.
    pub frontier: Place,
    /// Lanes with messages before the frontier that are not settled.
    pub lanes: BTreeMap<LaneId, Pending>,
}

/// What a lane still has before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// The first message that is not settled.
    pub first: Place,
    /// Attempts that it has had.
    pub attempts: u32,
    /// Whether another attempt was begun: only of destinations that must not be given a message twice.
    pub is_begun: bool,
}

/// What changed since progress was written down last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Lanes that have other messages before them, or none any more.
    pub lanes: Vec<(LaneId, Option<Pending>)>,
    /// Where to read on.
    pub frontier: Place,
    /// What was received for good.
    pub received: Vec<Receipt>,
}

impl Progress {
    /// Progress with the changes.
    pub fn apply(&mut self, changes: &Changes) {
        self.frontier = self.frontier.max(changes.frontier);
        for (id, pending) in &changes.lanes {
            match pending {
                Some(pending) => self.lanes.insert(*id, *pending),
                None => self.lanes.remove(id),
            };
        }
    }

    /// The oldest message that is not settled: records from here on must be kept.
    #[must_use]
    pub fn oldest(&self) -> Place {
        self.lanes.values().map(|pending| pending.first).min().unwrap_or(self.frontier)
    }
}
