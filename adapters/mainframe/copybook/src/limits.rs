//! The limits of the crate: all input is bounded, and a bound that is met is an error that says so.

/// Longest copybook or program text, in bytes.
pub const SOURCE_BYTES: usize = 4 << 20;
/// Deepest nesting of groups in a record.
pub const NESTING: usize = 50;
/// Most data items in one source.
pub const ITEMS: usize = 20_000;
/// Longest record, in bytes, with every table at its maximum.
pub const RECORD_BYTES: usize = 32 << 20;
/// Longest protobuf message taken by [`crate::Codec::encode`], in bytes.
pub const MESSAGE_BYTES: usize = 64 << 20;
/// Most digits of a numeric item, as in compilers with extended arithmetic (31) and a little beyond; they fit an `i128`.
pub const DIGITS: u32 = 38;
/// Longest lock file, in bytes.
pub const LOCK_BYTES: usize = 16 << 20;
