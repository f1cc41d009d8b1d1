//! Counts of what a recording could not keep.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a recording could not keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Omitted {
    /// More calls came than the limits allow at the same time, or than were taken.
    pub busy: u64,
    /// Compressed, or not of the contract's types.
    pub unreadable: u64,
    /// The bus answered them itself, or turned them away.
    pub not_carried: u64,
    /// The caller left before there was an answer.
    pub abandoned: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    busy: AtomicU64,
    unreadable: AtomicU64,
    not_carried: AtomicU64,
    abandoned: AtomicU64,
}

impl Counts {
    pub(super) fn busy(&self) {
        self.busy.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unreadable(&self) {
        self.unreadable.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn not_carried(&self) {
        self.not_carried.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn abandoned(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Omitted {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Omitted {
            busy: read(&self.busy),
            unreadable: read(&self.unreadable),
            not_carried: read(&self.not_carried),
            abandoned: read(&self.abandoned),
        }
    }
}
