//! Calls kept for whoever listens, while he listens: what passed, when, and how it ended. Nothing is decoded here.
//!
//! While nobody listens, a call costs one relaxed load. A call that is kept is copied as it passes, within the [limits](self::limits);
//! it never waits for whoever listens: what he does not take in time is counted and let go.

mod call;
pub mod limits;
mod omissions;
mod tap;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use http::{HeaderName, Request};
use tokio::sync::mpsc;

pub use self::call::{Answer, Captured};
use self::limits::{CALLS, RECORDINGS};
use self::omissions::Counts;
pub use self::omissions::Omitted;
pub(super) use self::tap::RequestTap;
pub use self::tap::Tapped;
use self::tap::{Tap, Taps};
use super::Route;

/// Everybody who listens to calls at this moment.
#[derive(Debug, Default)]
pub struct Recorders {
    active: AtomicUsize,
    recordings: ArcSwap<Vec<Arc<Recording>>>,
    changing: Mutex<()>,
}

/// Which calls are wanted, and what of their metadata.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Paths of methods: `/package.Service/Method`.
    pub paths: HashSet<String>,
    /// Keys of metadata to keep, of requests and of answers.
    pub metadata: Vec<HeaderName>,
}

/// As many as may listen do already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{RECORDINGS} recordings are running already, as many as there may be")]
pub struct TooMany;

/// One who listens.
struct Recording {
    wanted: Wanted,
    started: Instant,
    ended: mpsc::Sender<Captured>,
    counts: Counts,
    /// Calls in flight and calls that wait to be taken.
    calls: AtomicUsize,
    /// What is held of them.
    bytes: AtomicUsize,
}

/// The calls that were wanted, in the order of their ends. Dropped, it listens no more.
pub struct Listening {
    recorders: Arc<Recorders>,
    recording: Arc<Recording>,
    calls: mpsc::Receiver<Captured>,
}

impl Recorders {
    /// Listens from now on.
    pub fn listen(self: &Arc<Self>, wanted: Wanted) -> Result<Listening, TooMany> {
        // A place for each call that may be held, so that none is refused.
        let (ended, calls) = mpsc::channel(CALLS);
        let (counts, started) = (Counts::default(), Instant::now());
        let recording = Recording { wanted, started, ended, counts, calls: AtomicUsize::new(0), bytes: AtomicUsize::new(0) };
        let recording = Arc::new(recording);
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recordings = self.recordings.load_full().to_vec();
        if recordings.len() >= RECORDINGS {
            return Err(TooMany);
        }
        recordings.push(recording.clone());
        self.active.store(recordings.len(), Ordering::Relaxed);
        self.recordings.store(Arc::new(recordings));
        Ok(Listening { recorders: self.clone(), recording, calls })
    }

    /// Follows a call from its beginning, if it is wanted.
    pub(super) fn tap<B>(&self, route: &Route, request: &mut Request<B>, started: Instant) -> Option<Taps> {
        if self.active.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let recordings = self.recordings.load();
        let wanting = recordings.iter().filter(|recording| recording.wanted.paths.contains(&route.path));
        let taps: Vec<Tap> = wanting.filter_map(|recording| Tap::new(recording, route, request.headers(), started)).collect();
        Taps::new(taps, request.extensions_mut())
    }

    fn end(&self, recording: &Arc<Recording>) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recordings = self.recordings.load_full().to_vec();
        recordings.retain(|other| !Arc::ptr_eq(other, recording));
        self.active.store(recordings.len(), Ordering::Relaxed);
        self.recordings.store(Arc::new(recordings));
    }
}

impl Listening {
    /// The next call that has ended. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Captured> {
        self.calls.recv().await
    }

    /// What could not be kept so far.
    pub fn omitted(&self) -> Omitted {
        self.recording.counts.read()
    }

    /// A call could not be read after all.
    pub fn unreadable(&self) {
        self.recording.counts.unreadable();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.recorders.end(&self.recording);
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Recording({} methods)", self.wanted.paths.len())
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.recording.fmt(formatter)
    }
}
