//! Each peer answers a test that talks to it directly: what a scene through the bus may then expect.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod compatibility;
mod layout;
mod mainframe;
mod python;
mod ruby;
