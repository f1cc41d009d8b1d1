//! Measures FEEL beside `dsntk` (FEEL, DMN) and `cel` on one thread, in turns, in one run: ratios are what counts.
//!
//! `cargo run --release --manifest-path tests/bench/rules/Cargo.toml`
#![allow(clippy::expect_used, reason = "a bench that cannot measure stops")]

mod clock;
mod condition;
mod iteration;

fn main() {
    condition::run();
    iteration::run();
}
