//! One connection to one server, kept open: connect, use, reconnect with backoff.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};
use tokio::sync::watch;

use super::super::observe::{CONNECT_FAILURES, CONNECTIONS_OPENED};
use super::super::policy::outlier::Track;
use super::connection::Connection;
use super::dial::{Dialed, Dialer};
use super::fleet::Origin;
use super::health;

pub(super) const FIRST_BACKOFF: Duration = Duration::from_millis(100);
pub(super) const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
pub(super) const BACKOFF_FACTOR: f64 = 1.6;
/// A connection that lives shorter and answers no call counts as a failure, so that a peer that hangs up is not hammered.
pub(super) const SHORT_LIFE: Duration = Duration::from_secs(1);

/// Where a slot stands.
#[derive(Debug, Clone)]
pub(super) enum State {
    Connecting,
    Ready,
    /// Connected, but the server says that it is not well.
    NotServing {
        reason: String,
    },
    Failed {
        error: String,
        again_at: Instant,
    },
}

/// A place for one connection.
pub(super) struct Slot {
    /// What it is called in logs and errors.
    pub(super) label: String,
    current: ArcSwapOption<Connection>,
    state: Mutex<State>,
}

impl Slot {
    pub(super) fn new(label: String) -> Self {
        Self { label, current: ArcSwapOption::empty(), state: Mutex::new(State::Connecting) }
    }

    /// The open connection, if there is one.
    pub(super) fn connection(&self) -> Guard<Option<Arc<Connection>>> {
        self.current.load()
    }

    pub(super) fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the state, and tells those who follow connections.
    pub(super) fn set(&self, state: State, changed: &watch::Sender<u64>) {
        self.note(state);
        changed.send_modify(|version| *version += 1);
    }

    /// Changes the state of a connection that stays what it is.
    pub(super) fn note(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// A pause of about that length, so that not everybody comes back at once.
pub(super) fn about(pause: Duration) -> Duration {
    pause.mul_f64(0.8 + 0.4 * fastrand::f64())
}

/// Keeps a slot connected until its server is given up (its task is aborted then).
pub(super) struct Keeper {
    pub(super) origin: Arc<Origin>,
    pub(super) slot: Arc<Slot>,
    pub(super) track: Arc<Track>,
    pub(super) dialer: Dialer,
}

impl Keeper {
    /// Calls wait while a slot is [`State::Connecting`], at first and after a connection that worked; after a failure (a second
    /// one, if a connection had worked) they fail until there is a connection again.
    pub(super) async fn run(self) {
        let Origin { endpoint, changed, .. } = self.origin.as_ref();
        let mut backoff = FIRST_BACKOFF;
        // One failure after a connection that worked is no outage yet: the peer may be in the middle of leaving.
        let mut forgiven = false;
        // Told once: an outage may last.
        let mut known = String::new();
        loop {
            let error = match self.dialer.dial(self.origin.connect_timeout).await {
                Ok(dialed) => {
                    metrics::counter!(CONNECTIONS_OPENED, "passerelle_endpoint" => endpoint.clone()).increment(1);
                    tracing::info!(endpoint, address = self.slot.label, "connected");
                    let since = Instant::now();
                    known.clear();
                    let answered = self.serve(dialed).await;
                    if answered || since.elapsed() >= SHORT_LIFE {
                        backoff = FIRST_BACKOFF;
                        forgiven = true;
                        self.slot.set(State::Connecting, changed);
                        continue;
                    }
                    "the connection was closed at once".to_owned()
                }
                Err(error) => error.to_string(),
            };
            metrics::counter!(CONNECT_FAILURES, "passerelle_endpoint" => endpoint.clone()).increment(1);
            let wait = about(backoff);
            let again_in_ms = wait.as_millis() as u64;
            match error == known {
                false => tracing::warn!(endpoint, address = self.slot.label, error, again_in_ms, "no connection"),
                true => tracing::debug!(endpoint, address = self.slot.label, error, again_in_ms, "still no connection"),
            }
            known.clone_from(&error);
            let failed = State::Failed { error, again_at: Instant::now() + wait };
            self.slot.set(if std::mem::take(&mut forgiven) { State::Connecting } else { failed }, changed);
            // Perhaps the name means another server by now.
            self.origin.lost.notify_one();
            tokio::time::sleep(wait).await;
            backoff = backoff.mul_f64(BACKOFF_FACTOR).min(LONGEST_BACKOFF);
        }
    }

    /// Hands the connection out until it ends or is retired. Returns whether a call was answered on it.
    async fn serve(&self, dialed: Dialed) -> bool {
        let connection = Arc::new(Connection::new(&self.origin, self.track.clone(), dialed.sender));
        self.slot.current.store(Some(connection.clone()));
        let health = async {
            match &self.origin.health_service {
                Some(service) => health::follow(&self.origin, service, &self.slot, &connection).await,
                None => std::future::pending().await,
            }
        };
        if self.origin.health_service.is_none() {
            self.slot.set(State::Ready, &self.origin.changed);
        }
        tokio::select! {
            _ = dialed.driver => {}
            () = connection.retired() => {}
            () = health => {}
        }
        self.slot.current.store(None);
        connection.has_answered()
    }
}
