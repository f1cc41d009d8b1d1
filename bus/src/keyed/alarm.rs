//! One timer of one key, as the timetable holds it.

use std::sync::Arc;

/// Alarms stand in the order in which they fire: by due time, then by the record that set them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alarm {
    /// Nanoseconds since 1970.
    pub(super) due: i64,
    /// Position of the record that set it.
    pub(super) position: u64,
    pub(super) key: Arc<str>,
    pub(super) name: Arc<str>,
}
