//! One connection to one address, kept open: connect, use, reconnect with backoff.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use h2::client::SendRequest;
use http::uri::{Authority, Scheme};
use tokio::sync::{Notify, watch};

use super::super::observe::{CONNECT_FAILURES, CONNECTIONS_OPENED};
use super::dial::Dialer;

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// A connection that lives shorter counts as a failure, so that a peer that answers and hangs up is not hammered.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// An open connection.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Bytes>,
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    /// Calls on this connection now.
    pub(super) in_flight: AtomicUsize,
    retired: Notify,
}

impl Connection {
    /// The peer takes no new calls here (GOAWAY, or it broke): the slot connects anew, what is in flight goes on.
    pub(super) fn retire(&self) {
        self.retired.notify_one();
    }
}

/// Where a slot stands.
#[derive(Debug, Clone)]
pub(super) enum State {
    Connecting,
    Ready,
    Failed { error: String, again_at: Instant },
}

/// A place for one connection.
pub(super) struct Slot {
    pub(super) address: String,
    current: ArcSwapOption<Connection>,
    state: Mutex<State>,
}

impl Slot {
    pub(super) fn new(address: String) -> Self {
        Self { address, current: ArcSwapOption::empty(), state: Mutex::new(State::Connecting) }
    }

    /// The open connection, if there is one.
    pub(super) fn connection(&self) -> Option<Arc<Connection>> {
        self.current.load_full()
    }

    pub(super) fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, state: State, changed: &watch::Sender<u64>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        changed.send_modify(|version| *version += 1);
    }
}

/// Keeps a slot connected until the endpoint is dropped (its task is aborted then).
pub(super) struct Keeper {
    pub(super) endpoint: String,
    pub(super) slot: Arc<Slot>,
    pub(super) dialer: Dialer,
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) connect_timeout: Duration,
    pub(super) changed: watch::Sender<u64>,
}

impl Keeper {
    pub(super) async fn run(self) {
        let mut backoff = FIRST_BACKOFF;
        loop {
            self.slot.set(State::Connecting, &self.changed);
            let error = match self.dialer.dial(self.connect_timeout).await {
                Ok(dialed) => {
                    metrics::counter!(CONNECTIONS_OPENED, "passerelle_endpoint" => self.endpoint.clone()).increment(1);
                    tracing::info!(endpoint = self.endpoint, address = self.slot.address, "connected");
                    let since = Instant::now();
                    self.serve(dialed.sender, dialed.driver).await;
                    if since.elapsed() >= SHORT_LIFE {
                        backoff = FIRST_BACKOFF;
                        continue;
                    }
                    "the connection was closed at once".to_owned()
                }
                Err(error) => error.to_string(),
            };
            metrics::counter!(CONNECT_FAILURES, "passerelle_endpoint" => self.endpoint.clone()).increment(1);
            let wait = backoff.mul_f64(0.8 + 0.4 * fastrand::f64());
            tracing::warn!(
                endpoint = self.endpoint,
                address = self.slot.address,
                error,
                again_in_ms = wait.as_millis() as u64,
                "no connection"
            );
            self.slot.set(State::Failed { error, again_at: Instant::now() + wait }, &self.changed);
            tokio::time::sleep(wait).await;
            backoff = backoff.mul_f64(1.6).min(LONGEST_BACKOFF);
        }
    }

    /// Hands the connection out until it ends or is retired.
    async fn serve(&self, sender: SendRequest<Bytes>, driver: tokio::task::JoinHandle<()>) {
        let connection = Arc::new(Connection {
            sender,
            scheme: self.scheme.clone(),
            authority: self.authority.clone(),
            in_flight: AtomicUsize::new(0),
            retired: Notify::new(),
        });
        self.slot.current.store(Some(connection.clone()));
        self.slot.set(State::Ready, &self.changed);
        tokio::select! {
            _ = driver => {}
            () = connection.retired.notified() => {}
        }
        self.slot.current.store(None);
    }
}

/// A call's place on a connection.
pub(super) struct Lease(pub(super) Arc<Connection>);

impl Lease {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        connection.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(connection)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.authority.as_str())
    }
}
