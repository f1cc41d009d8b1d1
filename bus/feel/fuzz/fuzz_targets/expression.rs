//! `cargo +nightly fuzz run expression`, in `bus/feel`: reads and evaluates whatever comes.
#![no_main]

#[path = "../expression.rs"]
mod expression;

libfuzzer_sys::fuzz_target!(|text: &str| expression::read_and_evaluate(text));
