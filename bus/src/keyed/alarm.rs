//! One timer of one key, as the timetable holds it.

use std::sync::Arc;

/// Alarms stand in the order in which they are fired: by due time, then by the record that set them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alarm {
    /// Nanoseconds since 1970.
    pub(super) due: i64,
    /// Position of the record that set it.
    pub(super) position: u64,
    pub(super) key: Arc<str>,
    pub(super) name: Arc<str>,
}

impl Alarm {
    /// The second in which it is due, since 1970.
    pub(super) fn second(&self) -> i64 {
        self.due.div_euclid(1_000_000_000)
    }
}
