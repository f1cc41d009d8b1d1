//! Limits of the keyed runner.

use std::time::Duration;

/// As long as [`Answers`](super::Answers) are kept.
const DAYS_30: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How much is held in memory, and when it is written down whole. All bounds are for one kind of decider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyedSettings {
    /// Tasks that share the keys among them. A key is always with the same one.
    pub shards: usize,
    /// Commands that a shard has taken and not yet answered, in number: waiting, being loaded for, or on their way to the disk. One more is
    /// answered [`Failure::Busy`](super::Failure::Busy).
    pub in_hand: usize,
    /// Idle keys that a shard keeps in memory, in number. Those being worked on come on top, at most `in_hand`.
    pub keys: usize,
    /// Every so many records of a key, one holds the whole state.
    pub snapshot_every: u64,
    /// Timers held in memory, in number: the next ones due. The others are in the projection.
    pub timers: usize,
    /// How long a thing that is over is carried over all the same when old records are given up, so that repeated commands are answered as
    /// before and not done anew. Clocks that are set back by less do no harm.
    pub ended_kept: Duration,
}

impl Default for KeyedSettings {
    fn default() -> Self {
        Self { shards: 4, in_hand: 2_048, keys: 10_000, snapshot_every: 50, timers: 10_000, ended_kept: DAYS_30 }
    }
}

/// A limit that leaves no room at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} must be at least 1")]
pub struct OpenError(pub &'static str);

impl KeyedSettings {
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let limits = [
            ("shards", self.shards),
            ("in_hand", self.in_hand),
            ("keys", self.keys),
            ("snapshot_every", usize::try_from(self.snapshot_every).unwrap_or(usize::MAX)),
            ("timers", self.timers),
        ];
        match limits.into_iter().find(|(_, limit)| *limit == 0) {
            Some((name, _)) => Err(OpenError(name)),
            None => Ok(()),
        }
    }
}
