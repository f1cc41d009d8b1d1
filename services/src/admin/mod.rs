//! How a bus is run, over gRPC: `passerelle.bus.v1` on the admin address.

mod adapters;
mod contracts;
mod endpoints;
mod routes;
#[cfg(test)]
mod tests;
mod words;

pub use adapters::Adapters;
pub use contracts::{Contracts, Dial};
pub use endpoints::{EndpointList, Endpoints};
pub use routes::{RouteFiles, Routes};
