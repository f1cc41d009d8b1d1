//! The port itself: an open adapter, and the kind that opens it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Abilities, Call, Descriptor, Fault, Health, Lookup, Maturity, Messages, Receiving, Secrets};

/// One open adapter: a back office that looks like a gRPC contract. Shared by all calls, so it keeps its own pools.
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// What this adapter speaks. Asked after [`Kind::open`], and again when [`Adapter::known`] returns.
    fn descriptor(&self) -> &Descriptor;

    /// Returns when the descriptor says all: at once, unless what the adapter speaks is learnt from another process. From then on it stays.
    async fn known(&self) {}

    /// What it can do besides carrying calls. What is not declared is refused.
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    /// Calls that it carries at the same time, where the system behind sets a bound; further ones are throttled by who serves it over the wire.
    fn calls_at_once(&self) -> Option<u32> {
        None
    }

    /// Carries one call. The messages are protobuf bytes without gRPC's five-byte prefix.
    ///
    /// Dropping the returned future, or the returned messages, cancels the call. The adapter honours
    /// [`Context::deadline`](crate::Context::deadline); the bus answers the caller at the deadline whatever the adapter does.
    async fn call(&self, call: Call) -> Result<Messages, Fault>;

    /// What became of the operation that was asked for under this key ([`Context::idempotency_key`](crate::Context::idempotency_key)),
    /// asked after a [`Fault::Unknown`] or a deadline. An adapter that cannot tell refuses, as this default does.
    async fn lookup(&self, idempotency_key: &str) -> Result<Lookup, Fault> {
        let _ = idempotency_key;
        Err(Fault::Unimplemented { message: "this adapter cannot look up what became of an operation".to_owned() })
    }

    /// Whether [`Self::receive`] hands over what comes from the system behind. Without it that is refused.
    fn receives(&self) -> bool {
        false
    }

    /// Begins to hand over what comes from the system behind, and ends the hand-over before, if there is one. Need not wait for that system.
    async fn receive(&self) -> Result<Box<dyn Receiving>, Fault> {
        Err(Fault::Unimplemented { message: "this adapter does not receive".to_owned() })
    }

    /// Whether the system behind can be reached now, and if not, why.
    async fn health(&self) -> Health;

    /// Stops taking work and closes what is open; returns when nothing is in flight, or after `grace`.
    async fn drain(&self, grace: Duration);
}

/// A sort of adapter (`mainframe`, `documents`, …), listed in the binary's adapter table.
#[async_trait]
pub trait Kind: Send + Sync + 'static {
    /// The name integrators write after `adapter:`; the folder is `adapters/<name>`, the crate `adapter-<name>`.
    fn name(&self) -> &'static str;

    /// One line for `passerelle adapter list`.
    fn summary(&self) -> &'static str;

    /// How far the kind may be trusted.
    fn maturity(&self) -> Maturity;

    /// JSON schema (2020-12) of the file that an integrator writes for this kind.
    fn settings_schema(&self) -> serde_json::Value;

    /// Reads the integrator's file and opens the adapter. Must not need the system behind to be up.
    async fn open(&self, opening: Opening) -> Result<Arc<dyn Adapter>, OpenError>;
}

/// What a [`Kind`] gets to open an adapter.
pub struct Opening {
    /// The endpoint's name in the settings, for logs and metrics.
    pub endpoint: String,
    /// Where the file lies; copybooks and lock files are found relative to its folder.
    pub path: PathBuf,
    /// The file's text (YAML).
    pub text: String,
    /// Finds the secrets that the file refers to.
    pub secrets: Arc<dyn Secrets>,
}

/// An adapter's file cannot be used. The text says file, line and column where there is one, and what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub String);
