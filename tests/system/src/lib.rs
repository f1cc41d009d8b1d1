//! What scenes through the real daemon are made of: a world with its files, the daemon, a client that knows no contract.
#![allow(clippy::panic, clippy::expect_used, reason = "a harness fails its test by panicking")]

mod client;
mod contract;
pub mod planted;
mod program;
mod world;

pub use client::Client;
pub use contract::Contract;
pub use program::{passerelle, program};
pub use world::{Daemon, World};
