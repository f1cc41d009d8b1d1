//! The one test binary of the whole: scenes through the real daemon, each with its own world and the real systems it needs, and
//! the repository's own rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bad_input;
mod callback;
mod compatibility;
mod contracts;
mod delivery;
mod demo;
mod documents;
mod drain;
mod faults;
mod handoff;
mod interop;
mod journal;
mod mainframe;
mod patterns;
mod policies;
mod reads;
mod receive;
mod routes;
mod scaffold;
mod storm;
mod streaming;
mod tidy;
mod tls;
mod translations;

mod tracing;
mod twin;
mod views;
mod wire;
