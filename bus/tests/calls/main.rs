//! Calls through a bus in this process, between callers and back offices that can be made to do everything odd.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bus;
mod caller;
mod office;

mod adapters;
mod addresses;
mod broken;
mod deadlines;
mod endings;
mod flow;
mod health;
mod hedges;
mod leaving;
mod names;
mod observed;
mod outliers;
mod passing;
mod policies;
mod reads;
mod recorded;
mod retries;
mod routed;
mod secure;
mod sizes;
