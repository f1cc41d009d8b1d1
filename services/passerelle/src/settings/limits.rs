//! Bounds on what a peer may ask of Passerelle.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bounds on what a peer may ask of Passerelle; what is beyond is refused with a gRPC status that says which bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest message, in bytes, either way; a larger one ends its call with RESOURCE_EXHAUSTED.
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub message_bytes: u64,
    /// Largest set of headers or trailers, in bytes (names and values, as HTTP/2 counts them).
    #[schemars(range(min = 1024, max = 1_048_576))]
    pub metadata_bytes: u32,
    /// Calls at the same time on one connection; a peer that knows HTTP/2 waits for its turn.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub streams_per_connection: u32,
    /// Connections at the same time; further ones wait in the kernel's queue.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub connections: u32,
    /// Deadline of a unary call whose caller sets none, in milliseconds. 0 means none: such a call may last for ever.
    /// Streaming calls have only the deadline that their caller sets.
    #[schemars(range(min = 0, max = 86_400_000))]
    pub deadline_ms: u64,
    /// How long a new connection may take to finish its TLS and HTTP/2 handshake, in milliseconds.
    #[schemars(range(min = 100, max = 600_000))]
    pub handshake_ms: u64,
}

impl Limits {
    /// The deadline of a call whose caller sets none; `None` means no deadline.
    pub fn deadline(&self) -> Option<Duration> {
        (self.deadline_ms > 0).then(|| Duration::from_millis(self.deadline_ms))
    }

    /// [`Limits::handshake_ms`] as a duration.
    pub fn handshake(&self) -> Duration {
        Duration::from_millis(self.handshake_ms)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 4 * 1024 * 1024,
            metadata_bytes: 16 * 1024,
            streams_per_connection: 1000,
            connections: 10_000,
            deadline_ms: 30_000,
            handshake_ms: 10_000,
        }
    }
}
