//! The routing bus: contracts, calls and (later) messages, as a library.
//!
//! It reads no file, no environment variable and no wall clock: what it needs is handed in.

pub mod calendar;
pub mod call;
pub mod contract;
pub mod delivery;
pub mod keyed;
pub mod pattern;
pub mod payload;
pub mod route;
pub mod translation;
pub mod written;
