//! What a log has done, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the log was opened; `segments` is how many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records written.
    pub records: u64,
    /// Bytes written for them, headers included.
    pub bytes: u64,
    /// Batches written: each is one write and one sync.
    pub batches: u64,
    /// Syncs of the active segment: batches, marks and heads of segments.
    pub syncs: u64,
    /// Entries answered as repetitions.
    pub repeated: u64,
    /// Segment files that hold records now.
    pub segments: u64,
}

/// The counters themselves.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) records: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) batches: AtomicU64,
    pub(super) syncs: AtomicU64,
    pub(super) repeated: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self, segments: u64) -> Stats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            records: count(&self.records),
            bytes: count(&self.bytes),
            batches: count(&self.batches),
            syncs: count(&self.syncs),
            repeated: count(&self.repeated),
            segments,
        }
    }

    pub(super) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}
