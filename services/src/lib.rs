//! The gRPC services that a bus itself offers: reflection of its contracts, administration, and the journal.

pub mod admin;
#[cfg(test)]
mod fixture;
pub mod journal;
pub mod reflection;
