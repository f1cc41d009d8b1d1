//! The gRPC services of Passerelle: what channels consume, the journal, reflection of contracts, and administration.

pub mod admin;
pub mod customer;
#[cfg(test)]
mod fixture;
pub mod journal;
pub mod reflection;
