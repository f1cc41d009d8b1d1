//! `cargo +nightly fuzz run model`, in `bus/feel`: reads whatever comes as a decision model, and makes its decisions.
#![no_main]

#[path = "../model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|text: &str| model::read_and_decide(text));
