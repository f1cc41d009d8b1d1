//! The log engine on a disk that does its worst.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod cuts;
mod errors;
mod flips;
mod garbage;
mod model;
mod seeds;
mod workload;
mod world;
