//! The gRPC services of Passerelle: what channels consume, the journal, reflection of contracts, and administration.

pub mod admin;
pub mod customer;
pub mod delivery;
#[cfg(test)]
mod fixture;
pub mod journal;
pub mod pattern;
pub mod record;
pub mod reflection;

/// Why something cannot be carried over before old records are given up; nothing may be given up then.
pub type KeepError = Box<dyn std::error::Error + Send + Sync>;
