//! One connection to one address, kept open: connect, use, reconnect with backoff.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};
use bytes::Bytes;
use h2::client::SendRequest;
use http::uri::{Authority, Scheme};
use tokio::sync::{Notify, watch};

use super::super::observe::{CONNECT_FAILURES, CONNECTIONS_OPENED};
use super::dial::Dialer;

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// A connection that lives shorter and answers no call counts as a failure, so that a peer that hangs up is not hammered.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// An open connection.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Bytes>,
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    /// Calls on this connection now.
    in_flight: AtomicUsize,
    /// Calls that the peer allows at a time. What is beyond waits here and not in h2, where a GOAWAY would fail it unsent.
    limit: AtomicUsize,
    queue: Arc<Queue>,
    answered: AtomicBool,
    retiring: AtomicBool,
    retired: Notify,
}

impl Connection {
    /// The peer takes no new calls here (GOAWAY, or it broke): the slot connects anew, what is in flight goes on.
    pub(super) fn retire(&self) {
        self.retiring.store(true, Ordering::Relaxed);
        self.retired.notify_one();
    }

    /// The peer has answered a call: it is worth connecting to again at once.
    pub(super) fn answered(&self) {
        if !self.answered.load(Ordering::Relaxed) {
            self.answered.store(true, Ordering::Relaxed);
        }
    }

    /// Calls on this connection now, or `None` if it takes no more.
    pub(super) fn load(&self) -> Option<usize> {
        let in_flight = self.in_flight.load(Ordering::SeqCst);
        (in_flight < self.limit.load(Ordering::Relaxed) && !self.retiring.load(Ordering::Relaxed)).then_some(in_flight)
    }

    /// Takes the peer's present limit over.
    pub(super) fn refresh_limit(&self) {
        self.limit.store(self.sender.current_max_send_streams(), Ordering::Relaxed);
    }
}

/// Calls that wait for a place on any connection of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) waiting: AtomicUsize,
    pub(super) freed: Notify,
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
    pub(super) fn connection(&self) -> Guard<Option<Arc<Connection>>> {
        self.current.load()
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
    pub(super) queue: Arc<Queue>,
}

impl Keeper {
    /// Calls wait while a slot is [`State::Connecting`], at first and after a connection that worked; after a failure (a second
    /// one, if a connection had worked) they fail until there is a connection again.
    pub(super) async fn run(self) {
        let mut backoff = FIRST_BACKOFF;
        // One failure after a connection that worked is no outage yet: the peer may be in the middle of leaving.
        let mut forgiven = false;
        loop {
            let error = match self.dialer.dial(self.connect_timeout).await {
                Ok(dialed) => {
                    metrics::counter!(CONNECTIONS_OPENED, "passerelle_endpoint" => self.endpoint.clone()).increment(1);
                    tracing::info!(endpoint = self.endpoint, address = self.slot.address, "connected");
                    let since = Instant::now();
                    let answered = self.serve(dialed.sender, dialed.driver).await;
                    if answered || since.elapsed() >= SHORT_LIFE {
                        backoff = FIRST_BACKOFF;
                        forgiven = true;
                        self.slot.set(State::Connecting, &self.changed);
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
            let failed = State::Failed { error, again_at: Instant::now() + wait };
            self.slot.set(if std::mem::take(&mut forgiven) { State::Connecting } else { failed }, &self.changed);
            tokio::time::sleep(wait).await;
            backoff = backoff.mul_f64(1.6).min(LONGEST_BACKOFF);
        }
    }

    /// Hands the connection out until it ends or is retired. Returns whether a call was answered on it.
    async fn serve(&self, sender: SendRequest<Bytes>, driver: tokio::task::JoinHandle<()>) -> bool {
        let connection = Arc::new(Connection {
            limit: AtomicUsize::new(sender.current_max_send_streams()),
            sender,
            scheme: self.scheme.clone(),
            authority: self.authority.clone(),
            in_flight: AtomicUsize::new(0),
            queue: self.queue.clone(),
            answered: AtomicBool::new(false),
            retiring: AtomicBool::new(false),
            retired: Notify::new(),
        });
        self.slot.current.store(Some(connection.clone()));
        self.slot.set(State::Ready, &self.changed);
        tokio::select! {
            _ = driver => {}
            () = connection.retired.notified() => {}
        }
        self.slot.current.store(None);
        connection.answered.load(Ordering::Relaxed)
    }
}

/// A call's place on a connection.
pub(super) struct Lease(pub(super) Arc<Connection>);

impl Lease {
    /// A place, unless others were quicker.
    pub(super) fn take(connection: Arc<Connection>) -> Option<Self> {
        let before = connection.in_flight.fetch_add(1, Ordering::SeqCst);
        let full = before >= connection.limit.load(Ordering::Relaxed);
        // Dropped, a lease over the limit gives its place back.
        Some(Self(connection)).filter(|_| !full)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
        // Both sides SeqCst: either the waiting call sees the place, or it is seen waiting here.
        if self.0.queue.waiting.load(Ordering::SeqCst) > 0 {
            self.0.queue.freed.notify_one();
        }
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.authority.as_str())
    }
}
