//! The servers behind an endpoint: those of its addresses, and of each address those that its name means at this moment.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use http::uri::{Authority, Scheme};
use rustls::pki_types::ServerName;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use super::super::policy::outlier::Track;
use super::connection::Queue;
use super::dial::{Address, AddressError, Dialer, Tls};
use super::slot::{Keeper, Slot, State};
use super::{RemoteSettings, Signals};

/// One address of the settings, and how its servers are reached.
pub(super) struct Origin {
    pub(super) endpoint: String,
    /// As it was declared.
    pub(super) address: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) connect_timeout: Duration,
    /// The service whose health is asked for; `None`: it is not asked.
    pub(super) health_service: Option<String>,
    pub(super) changed: watch::Sender<u64>,
    pub(super) queue: Arc<Queue>,
    /// Told when a server cannot be connected to.
    pub(super) lost: Notify,
    tls: Option<Tls>,
    metadata_bytes: u32,
    connections: usize,
}

impl Origin {
    pub(super) fn new(endpoint: &str, text: &str, settings: &RemoteSettings, signals: &Signals) -> Result<Self, AddressError> {
        let refuse = || AddressError(text.to_owned());
        let address: Address = text.parse()?;
        let tls = match (address.secure, &settings.tls) {
            (false, _) => None,
            (true, None) => return Err(refuse()),
            (true, Some(config)) => {
                let server_name = settings.server_name.clone().unwrap_or_else(|| address.host.clone());
                Some(Tls { config: config.clone(), server_name: ServerName::try_from(server_name).map_err(|_| refuse())? })
            }
        };
        Ok(Self {
            endpoint: endpoint.to_owned(),
            address: text.to_owned(),
            authority: address.authority().parse().map_err(|_| refuse())?,
            host: address.host,
            port: address.port,
            scheme: if address.secure { Scheme::HTTPS } else { Scheme::HTTP },
            connect_timeout: settings.connect_timeout,
            health_service: settings.health_service.clone(),
            changed: signals.changed.clone(),
            queue: signals.queue.clone(),
            lost: Notify::new(),
            tls,
            metadata_bytes: settings.metadata_bytes,
            connections: settings.connections_per_address.max(1),
        })
    }

    /// The server itself, unless the address has a name.
    pub(super) fn literal(&self) -> Option<SocketAddr> {
        self.host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, self.port))
    }
}

/// One server, with its connections: kept open until this is dropped. Calls in progress go on all the same.
pub(super) struct Server {
    pub(super) origin: Arc<Origin>,
    /// `None` while its name is not resolved.
    pub(super) socket: Option<SocketAddr>,
    pub(super) track: Arc<Track>,
    pub(super) slots: Vec<Arc<Slot>>,
    keepers: Vec<AbortHandle>,
}

impl Server {
    /// Starts connecting. Must be called within a tokio runtime.
    pub(super) fn connect(origin: &Arc<Origin>, to: SocketAddr) -> Arc<Self> {
        let label = match origin.literal() {
            Some(_) => origin.address.clone(),
            None => format!("{} ({})", origin.address, to.ip()),
        };
        let track = Arc::<Track>::default();
        let slots: Vec<_> = (0..origin.connections).map(|_| Arc::new(Slot::new(label.clone()))).collect();
        let dialer = Dialer { to, tls: origin.tls.clone(), metadata_bytes: origin.metadata_bytes };
        let keep = |slot: &Arc<Slot>| {
            let keeper = Keeper { origin: origin.clone(), slot: slot.clone(), track: track.clone(), dialer: dialer.clone() };
            tokio::spawn(keeper.run()).abort_handle()
        };
        let keepers = slots.iter().map(keep).collect();
        Arc::new(Self { origin: origin.clone(), socket: Some(to), track, slots, keepers })
    }

    /// Stands for an address whose name is not resolved: a place that no connection ever takes.
    pub(super) fn unresolved(origin: &Arc<Origin>, state: State) -> Arc<Self> {
        let slot = Slot::new(origin.address.clone());
        slot.note(state);
        Arc::new(Self {
            origin: origin.clone(),
            socket: None,
            track: Arc::default(),
            slots: vec![Arc::new(slot)],
            keepers: Vec::new(),
        })
    }

    /// What it is called in logs.
    pub(super) fn label(&self) -> &str {
        self.slots.first().map_or(&self.origin.address, |slot| &slot.label)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.keepers.iter().for_each(AbortHandle::abort);
    }
}

/// All servers of a moment.
#[derive(Default)]
pub(super) struct Servers {
    pub(super) all: Vec<Arc<Server>>,
    /// Their slots, one after another: what calls choose from.
    pub(super) slots: Vec<Arc<Slot>>,
}

/// The servers of an endpoint, which change when a name's meaning does.
#[derive(Default)]
pub(super) struct Fleet {
    /// By address of the settings.
    parts: Mutex<Vec<Vec<Arc<Server>>>>,
    present: ArcSwap<Servers>,
}

impl Fleet {
    pub(super) fn new(parts: Vec<Vec<Arc<Server>>>) -> Self {
        let present = ArcSwap::from_pointee(Servers::of(&parts));
        Self { parts: Mutex::new(parts), present }
    }

    pub(super) fn servers(&self) -> Guard<Arc<Servers>> {
        self.present.load()
    }

    /// Replaces the servers of one address.
    pub(super) fn replace(&self, part: usize, servers: Vec<Arc<Server>>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = parts.get_mut(part) {
            *before = servers;
        }
        self.present.store(Arc::new(Servers::of(&parts)));
    }
}

impl Servers {
    fn of(parts: &[Vec<Arc<Server>>]) -> Self {
        let all: Vec<_> = parts.iter().flatten().cloned().collect();
        let slots = all.iter().flat_map(|server| server.slots.iter().cloned()).collect();
        Self { all, slots }
    }
}
