//! A load in flight: how much of it, for how long, and what came of it.

use std::time::Instant;

/// How one target is loaded: as fast as it acknowledges, with so many messages under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Messages published and not acknowledged, at most.
    pub(crate) in_flight: usize,
    /// Before this the target warms up.
    pub(crate) begin: Instant,
    /// Nothing is published after this; what is under way is waited for.
    pub(crate) end: Instant,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Messages acknowledged from the first to the last.
    pub(crate) acknowledged: u64,
    /// Those of them between begin and end.
    pub(crate) measured: u64,
    /// From publishing to the acknowledgement in microseconds, of what was measured; a batch is one.
    pub(crate) latencies: Vec<u32>,
}

impl Outcome {
    /// Takes down that `messages` published together at `sent` were acknowledged just now.
    pub(crate) fn acknowledge(&mut self, plan: Plan, messages: u64, sent: Instant, now: Instant) {
        self.acknowledged += messages;
        if (plan.begin..plan.end).contains(&now) {
            self.measured += messages;
            let micros = now.saturating_duration_since(sent).as_micros();
            self.latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
        }
    }

    /// With what came of another connection.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.acknowledged += other.acknowledged;
        self.measured += other.measured;
        self.latencies.extend(other.latencies);
        self
    }
}

/// Bytes of each message.
pub(crate) const MESSAGE: usize = 1024;

/// A message of content that nothing compresses, the same in each run.
pub(crate) fn content() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        // xorshift64 (Marsaglia, 2003)
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..MESSAGE).map(|_| next()).collect()
}
