//! Measures FEEL beside `dsntk` (FEEL, DMN) and `cel` on one thread, in turns, in one run: ratios are what counts.
//!
//! `cargo run --release --manifest-path tests/bench/rules/Cargo.toml` (`-- TEXT`: only the conditions that hold it)
#![allow(clippy::expect_used, reason = "a bench that cannot measure stops")]

mod clock;
mod condition;
mod iteration;
mod table;

fn main() {
    let only = std::env::args().nth(1);
    condition::run(only.as_deref());
    if only.is_none() {
        iteration::run();
        table::run();
    }
}
