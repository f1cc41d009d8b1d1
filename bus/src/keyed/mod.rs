//! Keyed: the single writer per key that runs a decider.

mod decider;

pub use decider::{Context, Decider, Decision, Timer};
