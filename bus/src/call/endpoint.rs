//! An endpoint: what serves a contract, a remote gRPC back office or an adapter in this process.

use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::{Adapter, Health};
use tokio::sync::watch;

use super::observe::InFlight;
use super::policy::{ChannelSettings, Policy, PolicySettings, PolicyStatus};
use super::remote::{AddressState, AddressStatus, Remote};
use super::share::{Share, ShareStatus};
use crate::keyed::Clock;

/// Something that serves contracts.
#[derive(Debug)]
pub struct Endpoint {
    name: String,
    in_flight: InFlight,
    pub(super) policy: Policy,
    pub(super) share: Arc<Share>,
    pub(super) target: Target,
}

pub(super) enum Target {
    Remote(Remote),
    Adapter(Arc<dyn Adapter>),
}

/// What is declared around an endpoint.
#[derive(Clone)]
pub struct Declared {
    /// What protects the back office.
    pub policy: PolicySettings,
    /// How channels say who they are.
    pub channels: Arc<ChannelSettings>,
    /// Where opening hours are read from.
    pub clock: Arc<dyn Clock>,
}

impl Declared {
    /// Nothing but what holds by default.
    pub fn nothing(clock: Arc<dyn Clock>) -> Self {
        Self { policy: PolicySettings::default(), channels: Arc::default(), clock }
    }
}

/// What an operator sees of an endpoint.
#[derive(Debug, Clone)]
pub struct EndpointStatus {
    /// Its name in the settings.
    pub name: String,
    /// The adapter's kind; `None` for a remote back office.
    pub adapter: Option<&'static str>,
    /// Calls being carried now.
    pub in_flight: usize,
    /// What stands behind, with its state.
    pub addresses: Vec<AddressStatus>,
    /// What protects it, and what it is given.
    pub policy: PolicyStatus,
    /// What its reads share.
    pub reads: ShareStatus,
}

impl Endpoint {
    /// A remote gRPC back office; connects at once and keeps connected until dropped.
    pub fn remote(remote: Remote, declared: Declared) -> Self {
        let name = remote.name().to_owned();
        Self::new(&name, Target::Remote(remote), declared)
    }

    /// An adapter in this process.
    pub fn adapter(name: &str, adapter: Arc<dyn Adapter>, declared: Declared) -> Self {
        Self::new(name, Target::Adapter(adapter), declared)
    }

    fn new(name: &str, target: Target, declared: Declared) -> Self {
        let Declared { policy, channels, clock } = declared;
        let blame = match &target {
            Target::Remote(remote) => remote.blame(),
            Target::Adapter(_) => None,
        };
        let share = Arc::new(Share::new(name, policy.kept_bytes));
        let policy = Policy::new(name, policy, channels, clock).blaming(blame);
        Self { name: name.to_owned(), in_flight: InFlight::new(name), policy, share, target }
    }

    /// Its name in the settings.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    /// Changes when a connection to a remote back office does; `None` for an adapter.
    pub fn connections(&self) -> Option<watch::Receiver<u64>> {
        match &self.target {
            Target::Remote(remote) => Some(remote.changes()),
            Target::Adapter(_) => None,
        }
    }

    /// What an operator sees.
    pub async fn status(&self) -> EndpointStatus {
        let (adapter, addresses) = match &self.target {
            Target::Remote(remote) => (None, remote.status()),
            Target::Adapter(adapter) => {
                let (state, reason) = match adapter.health().await {
                    Health::Ready => (AddressState::Ready, String::new()),
                    Health::Degraded { reason } => (AddressState::Degraded, reason),
                    Health::Down { reason } => (AddressState::Down, reason),
                };
                let descriptor = adapter.descriptor();
                let behind =
                    |address: &String| AddressStatus { address: address.clone(), resolved: None, state, reason: reason.clone() };
                (Some(descriptor.kind), descriptor.behind.iter().map(behind).collect())
            }
        };
        let (policy, reads) = (self.policy.status(), self.share.status());
        EndpointStatus { name: self.name.clone(), adapter, in_flight: self.in_flight.count(), addresses, policy, reads }
    }

    /// Closes what stands behind, when no call comes any more.
    pub async fn drain(&self, grace: Duration) {
        if let Target::Adapter(adapter) = &self.target {
            adapter.drain(grace).await;
        }
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Remote(remote) => remote.fmt(formatter),
            Self::Adapter(adapter) => adapter.descriptor().kind.fmt(formatter),
        }
    }
}
