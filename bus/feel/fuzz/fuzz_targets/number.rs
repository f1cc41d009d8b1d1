//! `cargo +nightly fuzz run number`, in `bus/feel`: calculates with whatever numbers come.
#![no_main]

#[path = "../number.rs"]
mod number;

libfuzzer_sys::fuzz_target!(|operands: (&str, &str, i32)| number::calculate(operands.0, operands.1, operands.2));
