//! A remote gRPC back office: its servers, connections kept open to each, the least loaded one chosen for each call.

mod choice;
mod connection;
mod dial;
mod download;
mod ejection;
mod exchange;
mod fleet;
mod health;
mod names;
mod slot;
mod upload;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::sync::watch;
use tokio::task::AbortHandle;

pub use self::dial::AddressError;
pub(super) use self::download::Download;
pub(super) use self::exchange::forward;
pub use self::names::Resolve;

use self::connection::Queue;
use self::ejection::Outliers;
use self::fleet::{Fleet, Origin, Server};
use self::names::Name;
use self::slot::{Slot, State};
use super::policy::OutlierSettings;
use super::policy::outlier::Blame;

/// How to reach a remote back office.
#[derive(Debug, Clone)]
pub struct RemoteSettings {
    /// `http://host:port` or `https://host:port`, one at least. A host that is a name stands for all servers that it means.
    pub addresses: Vec<String>,
    /// TLS for `https` addresses.
    pub tls: Option<Arc<ClientConfig>>,
    /// The name in the server's certificate, where it is not the address's host.
    pub server_name: Option<String>,
    /// Connections kept open to each server.
    pub connections_per_address: usize,
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// Headers and trailers of an answer, in bytes at most.
    pub metadata_bytes: u32,
    /// Finds the servers that names mean.
    pub resolver: Arc<dyn Resolve>,
    /// How often names are resolved while nothing is wrong.
    pub resolve_every: Duration,
    /// The service whose health servers are asked for (gRFC A17), empty for that of the whole server; `None`: they are not asked.
    pub health_service: Option<String>,
    /// When a server that does worse than the others gets no calls for a while.
    pub outlier: OutlierSettings,
}

/// A back office that speaks gRPC.
pub struct Remote {
    name: String,
    fleet: Arc<Fleet>,
    next: AtomicUsize,
    signals: Signals,
    /// Unless no server is ever ejected.
    outliers: Option<Arc<Outliers>>,
    tasks: Vec<AbortHandle>,
}

/// How those who wait hear that something has changed.
#[derive(Clone, Default)]
struct Signals {
    /// Changes when a connection does.
    changed: watch::Sender<u64>,
    queue: Arc<Queue>,
}

/// What an operator sees of one connection to one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressStatus {
    /// The address, as it was declared.
    pub address: String,
    /// The server that is meant, where the address has a name and that is resolved.
    pub resolved: Option<IpAddr>,
    /// Its state.
    pub state: AddressState,
    /// Why it is not ready; empty if it is.
    pub reason: String,
}

/// What can be expected of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressState {
    /// Being connected to.
    Connecting,
    /// Takes calls.
    Ready,
    /// Takes calls, with less than full capacity.
    Degraded,
    /// Does worse than the others, and gets no calls for a while if there is another.
    Ejected,
    /// Connected, but says that it is not well.
    NotServing,
    /// Cannot be reached; tried again by and by.
    Down,
}

impl Remote {
    /// Starts connecting to all addresses. Must be called within a tokio runtime.
    pub fn open(name: &str, settings: &RemoteSettings) -> Result<Self, AddressError> {
        let signals = Signals::default();
        let origin = |address: &String| Origin::new(name, address, settings, &signals).map(Arc::new);
        let origins: Vec<_> = settings.addresses.iter().map(origin).collect::<Result<_, _>>()?;
        let servers = |origin: &Arc<Origin>| match origin.literal() {
            Some(socket) => vec![Server::connect(origin, socket)],
            None => vec![Server::unresolved(origin, State::Connecting)],
        };
        let fleet = Arc::new(Fleet::new(origins.iter().map(servers).collect()));
        let named = origins.into_iter().enumerate().filter(|(_, origin)| origin.literal().is_none());
        let mut tasks: Vec<AbortHandle> = named
            .map(|(part, origin)| {
                let (fleet, resolver) = (fleet.clone(), settings.resolver.clone());
                let name = Name { origin, fleet, part, resolver, every: settings.resolve_every };
                tokio::spawn(name.run()).abort_handle()
            })
            .collect();
        let outliers = settings
            .outlier
            .is_on()
            .then(|| Arc::new(Outliers::new(name, fleet.clone(), signals.queue.clone(), settings.outlier.clone())));
        tasks.extend(outliers.iter().map(|outliers| tokio::spawn(outliers.clone().run()).abort_handle()));
        Ok(Self { name: name.to_owned(), fleet, next: AtomicUsize::new(0), signals, outliers, tasks })
    }

    /// Changes when a connection does: opened, lost, opened again.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.signals.changed.subscribe()
    }

    /// How single servers that are at fault are found and left alone.
    pub(super) fn blame(&self) -> Option<Blame> {
        let outliers = self.outliers.clone()?;
        Some(Box::new(move |now| outliers.blame(now)))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What an operator sees, a line for each connection.
    pub fn status(&self) -> Vec<AddressStatus> {
        let now = Instant::now();
        let servers = self.fleet.servers();
        servers.all.iter().flat_map(|server| server.slots.iter().map(move |slot| status(server, slot, now))).collect()
    }
}

fn status(server: &Server, slot: &Slot, now: Instant) -> AddressStatus {
    let (state, reason) = match (slot.state(), server.track.ejection()) {
        (State::Connecting, _) => (AddressState::Connecting, String::new()),
        (State::Ready, None) => (AddressState::Ready, String::new()),
        (State::Ready, Some(ejection)) => (AddressState::Ejected, ejection.words(now)),
        (State::NotServing { reason }, _) => (AddressState::NotServing, reason),
        (State::Failed { error, again_at }, _) => {
            let wait = again_at.saturating_duration_since(now);
            (AddressState::Down, format!("{error} (next attempt in {} ms)", wait.as_millis()))
        }
    };
    let resolved = server.socket.filter(|_| server.origin.literal().is_none()).map(|socket| socket.ip());
    AddressStatus { address: server.origin.address.clone(), resolved, state, reason }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // Connections in use live on in their own tasks until their last call ends.
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Remote").field("name", &self.name).field("addresses", &self.status()).finish()
    }
}
