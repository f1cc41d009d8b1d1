//! The gRPC services that a bus itself offers: reflection of its contracts, and administration.

pub mod admin;
pub mod reflection;
