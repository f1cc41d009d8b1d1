//! Moments and durations, from protobuf's to the standard library's and back.

use std::time::{Duration, SystemTime};

use prost_types::Timestamp;

/// A moment. What is out of range or missing is the beginning of time, so that whatever waits for it is due.
pub(super) fn moment(at: Option<Timestamp>) -> SystemTime {
    at.and_then(|at| SystemTime::try_from(at).ok()).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A duration; zero where it is missing or negative.
pub(super) fn duration(written: Option<prost_types::Duration>) -> Duration {
    written.and_then(|written| Duration::try_from(written).ok()).unwrap_or_default()
}

/// The moment that much later.
pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    moment(Some(at)).checked_add(by).map_or(at, Timestamp::from)
}

/// A duration as protobuf writes it. Settings and checks keep it far within range.
pub(super) fn written(duration: Duration) -> prost_types::Duration {
    prost_types::Duration::try_from(duration).unwrap_or_default()
}
