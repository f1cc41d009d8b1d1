//! The gRPC services that a bus itself offers: reflection of its contracts, and administration.

pub mod admin;
#[cfg(test)]
mod fixture;
pub mod reflection;
