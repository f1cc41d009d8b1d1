//! The adapter as the bus uses it, against the host double: calls, faults, files, recordings, spans.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod bank;
mod calls;
mod files;
mod recordings;
mod spans;
