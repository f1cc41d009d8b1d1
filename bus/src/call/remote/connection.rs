//! One open connection, the calls on it, and those that wait for a place on any.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use h2::client::SendRequest;
use http::uri::{Authority, Scheme};
use tokio::sync::Notify;
use tonic::Code;

use super::super::policy::outlier::Track;
use super::fleet::Origin;

/// A caller that counts its deadline itself may break off so long before the deadline that is counted here.
const CALLERS_HASTE: Duration = Duration::from_millis(10);

/// An open connection.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Bytes>,
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    /// What becomes of the calls to its address, and whether that is ejected.
    track: Arc<Track>,
    /// Calls on this connection now.
    in_flight: AtomicUsize,
    /// Calls that the peer allows at a time. What is beyond waits here and not in h2, where a GOAWAY would fail it unsent.
    limit: AtomicUsize,
    queue: Arc<Queue>,
    /// The peer says that it is well, or is not asked.
    serving: AtomicBool,
    answered: AtomicBool,
    retiring: AtomicBool,
    retired: Notify,
}

impl Connection {
    /// A connection that takes calls, unless the peer is to be asked first whether it is well.
    pub(super) fn new(origin: &Origin, track: Arc<Track>, sender: SendRequest<Bytes>) -> Self {
        Self {
            limit: AtomicUsize::new(sender.current_max_send_streams()),
            sender,
            scheme: origin.scheme.clone(),
            authority: origin.authority.clone(),
            track,
            in_flight: AtomicUsize::new(0),
            queue: origin.queue.clone(),
            serving: AtomicBool::new(origin.health_service.is_none()),
            answered: AtomicBool::new(false),
            retiring: AtomicBool::new(false),
            retired: Notify::new(),
        }
    }

    /// What is counted of its server: one for all connections to it.
    pub(super) fn track(&self) -> &Arc<Track> {
        &self.track
    }

    /// The peer takes no new calls here (GOAWAY, or it broke): the slot connects anew, what is in flight goes on.
    pub(super) fn retire(&self) {
        self.retiring.store(true, Ordering::Relaxed);
        self.retired.notify_one();
    }

    /// Waits until it is retired.
    pub(super) async fn retired(&self) {
        self.retired.notified().await;
    }

    /// The peer has answered a call: it is worth connecting to again at once.
    pub(super) fn answered(&self) {
        if !self.answered.load(Ordering::Relaxed) {
            self.answered.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// The peer says that it is well, or that it is not.
    pub(super) fn serves(&self, serving: bool) {
        self.serving.store(serving, Ordering::Relaxed);
        self.queue.freed.notify_waiters();
    }

    /// Whether the peer has said that it takes no new calls.
    pub(super) fn is_left(&self) -> bool {
        let mut sender = self.sender.clone();
        std::future::poll_fn(|context| sender.poll_ready(context)).now_or_never().is_some_and(|ready| ready.is_err())
    }

    /// Whether calls go here at all, if there is room.
    pub(super) fn is_open(&self) -> bool {
        self.serving.load(Ordering::Relaxed) && !self.retiring.load(Ordering::Relaxed)
    }

    /// Calls on this connection now, or `None` if it takes no more.
    pub(super) fn load(&self) -> Option<usize> {
        let in_flight = self.in_flight.load(Ordering::SeqCst);
        (in_flight < self.limit.load(Ordering::Relaxed) && self.is_open()).then_some(in_flight)
    }

    /// Whether its address does worse than the others.
    pub(super) fn is_ejected(&self) -> bool {
        self.track.is_ejected()
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

/// A call's place on a connection.
pub(super) struct Lease {
    pub(super) connection: Arc<Connection>,
    /// From when on it is the address's fault that there was no outcome.
    due: Option<Instant>,
}

impl Lease {
    /// A place, unless others were quicker.
    pub(super) fn take(connection: Arc<Connection>) -> Option<Self> {
        let before = connection.in_flight.fetch_add(1, Ordering::SeqCst);
        let full = before >= connection.limit.load(Ordering::Relaxed);
        // Dropped, a lease over the limit gives its place back.
        Some(Self { connection, due: None }).filter(|_| !full)
    }

    /// An outcome is due by then.
    pub(super) fn due(&mut self, deadline: Option<Instant>) {
        self.due = deadline.and_then(|at| at.checked_sub(CALLERS_HASTE));
    }

    /// The answer of a stream has begun: it may last.
    pub(super) fn lasts(&mut self) {
        self.due = None;
    }

    /// The outcome of the call, or of one attempt, is known.
    pub(super) fn ended(&mut self, code: Code) {
        self.due = None;
        self.connection.track.ended(code);
    }

    /// What came is no answer at all.
    pub(super) fn failed(&mut self) {
        self.due = None;
        self.connection.track.failed();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.due.is_some_and(|due| due <= Instant::now()) {
            self.connection.track.failed();
        }
        self.connection.in_flight.fetch_sub(1, Ordering::SeqCst);
        // Both sides SeqCst: either the waiting call sees the place, or it is seen waiting here.
        if self.connection.queue.waiting.load(Ordering::SeqCst) > 0 {
            self.connection.queue.freed.notify_one();
        }
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.connection.authority.as_str())
    }
}
