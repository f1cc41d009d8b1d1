//! The gRPC services that a bus itself offers: reflection of its contracts, administration, and what channels consume.

pub mod admin;
pub mod customer;
#[cfg(test)]
mod fixture;
pub mod reflection;
