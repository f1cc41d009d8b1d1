//! The projection against a journal in memory: what it keeps, what it refuses, what it survives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod crash;
mod fixture;
mod follow;
mod operators;
mod rebuild;
mod refusals;
mod throughput;
