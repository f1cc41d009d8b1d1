//! Times as they stand in records and tables.

use std::time::{Duration, SystemTime};

use prost_types::Timestamp;

/// The time as it stands in a record.
pub(super) fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::from(time)
}

/// The time that stands in a record; `None` where it is not one.
pub(super) fn time(timestamp: Timestamp) -> Option<SystemTime> {
    SystemTime::try_from(timestamp).ok()
}

/// Nanoseconds since 1970 for a table; the ends of the range (1677, 2262) stand for everything beyond.
pub(super) fn nanoseconds(timestamp: Timestamp) -> i64 {
    let nanoseconds = i128::from(timestamp.seconds) * 1_000_000_000 + i128::from(timestamp.nanos);
    nanoseconds.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// The time of a table.
pub(super) fn from_nanoseconds(nanoseconds: i64) -> SystemTime {
    let distance = Duration::from_nanos(nanoseconds.unsigned_abs());
    let time =
        if nanoseconds < 0 { SystemTime::UNIX_EPOCH.checked_sub(distance) } else { SystemTime::UNIX_EPOCH.checked_add(distance) };
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}
