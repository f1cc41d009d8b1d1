//! A remote gRPC back office: several addresses, connections kept open, the least loaded one chosen for each call.

mod dial;
mod download;
mod exchange;
mod slot;
mod upload;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::Guard;
use http::uri::{Authority, Scheme};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tonic::Status;

pub use self::dial::AddressError;
pub(super) use self::download::Download;
pub(super) use self::exchange::forward;

use self::dial::{Address, Dialer, Tls};
use self::slot::{Connection, Keeper, Lease, Queue, Slot, State};
use super::hedge::Tried;

/// How to reach a remote back office.
#[derive(Debug, Clone)]
pub struct RemoteSettings {
    /// `http://host:port` or `https://host:port`, one at least.
    pub addresses: Vec<String>,
    /// TLS for `https` addresses.
    pub tls: Option<Arc<ClientConfig>>,
    /// The name in the server's certificate, where it is not the address's host.
    pub server_name: Option<String>,
    /// Connections kept open to each address.
    pub connections_per_address: usize,
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// Headers and trailers of an answer, in bytes at most.
    pub metadata_bytes: u32,
}

/// A back office that speaks gRPC.
pub struct Remote {
    name: String,
    slots: Vec<Arc<Slot>>,
    next: AtomicUsize,
    changed: watch::Sender<u64>,
    queue: Arc<Queue>,
    keepers: Vec<AbortHandle>,
}

/// What an operator sees of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressStatus {
    /// The address.
    pub address: String,
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
    /// Cannot be reached; tried again by and by.
    Down,
}

impl Remote {
    /// Starts connecting to all addresses. Must be called within a tokio runtime.
    pub fn open(name: &str, settings: &RemoteSettings) -> Result<Self, AddressError> {
        let changed = watch::Sender::new(0);
        let queue = Arc::new(Queue::default());
        let mut keepers = Vec::new();
        for address in &settings.addresses {
            for _ in 0..settings.connections_per_address.max(1) {
                keepers.push(keeper(name, address, settings, &changed, &queue)?);
            }
        }
        let slots = keepers.iter().map(|keeper| keeper.slot.clone()).collect();
        let keepers = keepers.into_iter().map(|keeper| tokio::spawn(keeper.run()).abort_handle()).collect();
        Ok(Self { name: name.to_owned(), slots, next: AtomicUsize::new(0), changed, queue, keepers })
    }

    /// Changes when a connection does: opened, lost, opened again.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What an operator sees, a line for each connection.
    pub fn status(&self) -> Vec<AddressStatus> {
        let state = |slot: &Slot| match slot.state() {
            State::Connecting => (AddressState::Connecting, String::new()),
            State::Ready => (AddressState::Ready, String::new()),
            State::Failed { error, again_at } => {
                let wait = again_at.saturating_duration_since(Instant::now());
                (AddressState::Down, format!("{error} (next attempt in {} ms)", wait.as_millis()))
            }
        };
        let status = |slot: &Arc<Slot>| {
            let (state, reason) = state(slot);
            AddressStatus { address: slot.address.clone(), state, reason }
        };
        self.slots.iter().map(status).collect()
    }

    /// A place on the least loaded open connection. Waits while one is being opened or all are full; fails at once when every
    /// address is known to be down (gRPC's default, "not wait for ready").
    /// `tried`: elsewhere than there, if there is a choice.
    async fn lease(&self, tried: Option<&Tried>) -> Result<Lease, Status> {
        let lease = match self.least_loaded(tried) {
            Some(lease) => lease,
            None => self.wait_for_lease(tried).await?,
        };
        if let Some(tried) = tried {
            tried.note(lease.0.authority.as_str());
        }
        Ok(lease)
    }

    async fn wait_for_lease(&self, tried: Option<&Tried>) -> Result<Lease, Status> {
        let _waiting = Waiting::enter(&self.queue);
        let mut changes = self.changed.subscribe();
        loop {
            let mut freed = pin!(self.queue.freed.notified());
            freed.as_mut().enable();
            changes.mark_unchanged();
            self.slots.iter().for_each(|slot| slot.connection().iter().for_each(|open| open.refresh_limit()));
            if let Some(lease) = self.least_loaded(tried) {
                return Ok(lease);
            }
            if let Some(down) = self.all_down() {
                return Err(down);
            }
            tokio::select! {
                // The sender of changes lives as long as self.
                _ = changes.changed() => {}
                () = freed => {}
            }
        }
    }

    fn least_loaded(&self, tried: Option<&Tried>) -> Option<Lease> {
        let (before, from) = self.slots.split_at(self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len().max(1));
        let open = from.iter().chain(before).map(|slot| slot.connection());
        let loads = open.filter_map(|open| open.as_ref().and_then(|connection| connection.load()).map(|load| (load, open)));
        let again = |open: &Connection| tried.is_some_and(|tried| tried.contains(open.authority.as_str()));
        let (_, least) = loads.min_by_key(|(load, open)| (open.as_deref().is_some_and(again), *load))?;
        Guard::into_inner(least).and_then(Lease::take)
    }

    fn all_down(&self) -> Option<Status> {
        if self.slots.is_empty() {
            return Some(Status::unavailable(format!("back office {} has no address", self.name)));
        }
        let mut why = None;
        for slot in &self.slots {
            match slot.state() {
                State::Failed { error, again_at } => why = Some((slot, error, again_at)),
                State::Connecting | State::Ready => return None,
            }
        }
        let (slot, error, again_at) = why?;
        let wait = again_at.saturating_duration_since(Instant::now());
        Some(Status::unavailable(format!(
            "back office {} is down: {}: {error}; next attempt in {} ms",
            self.name,
            slot.address,
            wait.as_millis()
        )))
    }
}

/// A call in the queue for as long as this lives.
struct Waiting<'a>(&'a Queue);

impl<'a> Waiting<'a> {
    fn enter(queue: &'a Queue) -> Self {
        queue.waiting.fetch_add(1, Ordering::SeqCst);
        Self(queue)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

fn keeper(
    name: &str,
    text: &str,
    settings: &RemoteSettings,
    changed: &watch::Sender<u64>,
    queue: &Arc<Queue>,
) -> Result<Keeper, AddressError> {
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
    let authority: Authority = address.authority().parse().map_err(|_| refuse())?;
    Ok(Keeper {
        endpoint: name.to_owned(),
        slot: Arc::new(Slot::new(text.to_owned())),
        dialer: Dialer { host: address.host, port: address.port, tls, metadata_bytes: settings.metadata_bytes },
        scheme: if address.secure { Scheme::HTTPS } else { Scheme::HTTP },
        authority,
        connect_timeout: settings.connect_timeout,
        changed: changed.clone(),
        queue: queue.clone(),
    })
}

impl Drop for Remote {
    fn drop(&mut self) {
        // Connections in use live on in their own tasks until their last call ends.
        self.keepers.iter().for_each(AbortHandle::abort);
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Remote").field("name", &self.name).field("addresses", &self.status()).finish()
    }
}
