//! What all shards of one runner share.

use std::sync::Arc;
use std::time::Duration;

use passerelle_journal::Entry;
use tokio::sync::{Semaphore, oneshot, watch};

use super::ask::Taken;
use super::key::Key;
use super::observe::Meter;
use super::timetable::Timetable;
use super::{Decider, KeyedSettings, Observed, Parts};

/// How long to wait for a projection that is too far behind, before the command is refused.
pub(super) const ROOM_PATIENCE: Duration = Duration::from_secs(5);

/// Called with each record that has become durable.
pub(super) type Observer<D> = Box<dyn Fn(Observed<'_, D>) + Send + Sync>;

pub(super) struct Home<D: Decider> {
    pub(super) decider: Arc<D>,
    pub(super) parts: Parts,
    pub(super) settings: KeyedSettings,
    pub(super) observer: Observer<D>,
    pub(super) timetable: Timetable,
    pub(super) meter: Meter,
    /// Keys being loaded at the same time: each takes a blocking thread.
    pub(super) loads: Arc<Semaphore>,
}

/// Records decided together, and written together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) keys: Vec<Key>,
    pub(super) entries: Vec<Entry>,
    /// Timers that are told when the batch has its place in the journal.
    pub(super) fired: Vec<oneshot::Sender<Taken>>,
    bytes: usize,
}

impl Batch {
    /// From so many bytes on, a batch is written before more is decided.
    const FULL: usize = 1 << 20;

    pub(super) fn has_room(&self) -> bool {
        self.bytes < Self::FULL
    }

    pub(super) fn push(&mut self, key: &Key, entry: Entry) {
        self.bytes += entry.data.len();
        self.keys.push(key.clone());
        self.entries.push(entry);
    }
}

/// Returns when it is told to close; a runner that is gone takes its tasks along.
pub(super) async fn told(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}
