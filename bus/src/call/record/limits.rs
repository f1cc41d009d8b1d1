//! What bounds recordings. What goes beyond is counted or marked as cut, never lost silently.

/// Recordings at the same time.
pub const RECORDINGS: usize = 4;
/// Calls that one recording holds: in flight, or waiting to be taken.
pub const CALLS: usize = 256;
/// Bytes that one recording holds of them.
pub const BYTES: usize = 32 * 1024 * 1024;
/// Bytes of one call, both ways together; what comes after is cut.
pub const CALL_BYTES: usize = 4 * 1024 * 1024;
/// Messages of one call, both ways together.
pub const CALL_MESSAGES: usize = 1_000;
/// Bytes of one value of metadata.
pub const METADATA_BYTES: usize = 1024;
