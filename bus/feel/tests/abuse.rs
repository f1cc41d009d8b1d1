//! What a hostile or careless author may write: an answer or an error, soon, and the process lives.
#![allow(clippy::expect_used, reason = "tests end where something is not as expected")]

#[path = "abuse/meter.rs"]
mod meter;
#[path = "abuse/recursion.rs"]
mod recursion;
