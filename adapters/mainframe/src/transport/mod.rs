//! The trait behind which every way to a host stands, one file each.

pub(crate) mod ims_connect;
#[cfg(test)]
pub(crate) mod peer;
pub(crate) mod sockets;
mod start;
pub(crate) mod tcp;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use passerelle_adapter::{Fault, Health, async_trait};
use tokio::time::Instant;

pub(crate) use start::start;

/// A record on its way to a host.
#[derive(Debug)]
pub(crate) struct Request {
    /// The transaction or program, where the host wants one.
    pub(crate) trancode: Option<String>,
    /// The record as the host reads it.
    pub(crate) record: Bytes,
    /// When the host must have answered.
    pub(crate) deadline: Instant,
    /// Whether the transaction may run twice without harm.
    pub(crate) idempotent: bool,
}

/// A way to a host.
///
/// A fault says what may have happened: `Unavailable` only when the host did nothing, `Unknown` when it may have.
#[async_trait]
pub(crate) trait Transport: Send + Sync + 'static {
    /// Sends the record and returns the host's one. Dropping the future gives the exchange up; its connection is closed.
    async fn exchange(&self, request: &Request) -> Result<Bytes, Fault>;

    /// `tcp` or `ims_connect`, as written in the file.
    fn name(&self) -> &'static str;

    /// Whether the host can be reached now.
    async fn health(&self) -> Health;

    /// Takes no more exchanges; returns when none is in flight, or after `grace`.
    async fn drain(&self, grace: Duration);
}
