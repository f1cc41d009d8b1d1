//! Scenes through the real daemon: each starts its own world and the real systems it needs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod drain;
mod interop;
mod mainframe;
mod streaming;
