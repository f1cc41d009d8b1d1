//! The timers that are due next, in memory; all of them are in the projection.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::alarm::Alarm;

/// Shared by the shards, which put in what they set, and the dispatcher, which fires.
pub(super) struct Timetable {
    inner: Mutex<Inner>,
    /// Most alarms held.
    limit: usize,
    changed: Notify,
}

struct Inner {
    alarms: BTreeSet<Alarm>,
    /// `alarms` holds every pending one before this; those from here on are in the projection alone. `None`: it holds all.
    frontier: Option<Alarm>,
    /// Position of the last record whose timers were put in (or left to the projection).
    seen: u64,
    /// A firing came to nothing.
    failed: bool,
}

/// What the dispatcher is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Read on from the projection, at a position at least.
    Load { from: Alarm, position: u64 },
    /// Wait for the time of this one, or take out what is due.
    Alarm(Alarm),
    /// There is none.
    Nothing,
}

impl Timetable {
    /// Knows nothing yet, so that everything is to be read.
    pub(super) fn new(limit: usize) -> Self {
        let inner = Inner { alarms: BTreeSet::new(), frontier: Some(first()), seen: 0, failed: false };
        Self { inner: Mutex::new(inner), limit, changed: Notify::new() }
    }

    /// A record with these timers is durable.
    pub(super) fn set(&self, position: u64, alarms: impl IntoIterator<Item = Alarm>) {
        let mut inner = self.inner();
        inner.seen = inner.seen.max(position);
        for alarm in alarms {
            inner.insert(alarm, self.limit);
        }
        drop(inner);
        self.changed.notify_one();
    }

    /// A firing came to nothing, for a reason that may pass. The timer is still pending, in the projection.
    pub(super) fn fail(&self) {
        self.inner().failed = true;
        self.changed.notify_one();
    }

    /// Whether a firing came to nothing since this was asked last.
    pub(super) fn failed(&self) -> bool {
        std::mem::take(&mut self.inner().failed)
    }

    /// Everything is to be read anew.
    pub(super) fn start_over(&self) {
        self.inner().narrow(first());
    }

    /// Returns when an alarm may have been put in.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn next(&self) -> Next {
        let inner = self.inner();
        match (inner.alarms.first(), &inner.frontier) {
            (Some(alarm), frontier) if frontier.as_ref().is_none_or(|frontier| alarm < frontier) => Next::Alarm(alarm.clone()),
            (_, Some(frontier)) => Next::Load { from: frontier.clone(), position: inner.seen },
            (_, None) => Next::Nothing,
        }
    }

    /// Takes out those that are due by now and of the same second as the first, `most` of them at most: they are being fired.
    pub(super) fn take(&self, now: i64, most: usize) -> Vec<Alarm> {
        let mut inner = self.inner();
        let mut taken: Vec<Alarm> = Vec::new();
        while taken.len() < most
            && let Some(next) = inner.alarms.first()
            && next.due <= now
            && inner.frontier.as_ref().is_none_or(|frontier| next < frontier)
            && taken.first().is_none_or(|first| first.second() == next.second())
        {
            taken.extend(inner.alarms.pop_first());
        }
        taken
    }

    /// Reading from the frontier on begins: alarms put in meanwhile are held, wherever they lie.
    pub(super) fn loading(&self) {
        self.inner().frontier = None;
    }

    /// What was read, in order, up to (and without) an alarm that was not read any more; or nothing could be read from there on.
    pub(super) fn loaded(&self, alarms: Vec<Alarm>, unread: Option<Alarm>) {
        let mut inner = self.inner();
        if let Some(unread) = unread {
            inner.narrow(unread);
        }
        for alarm in alarms {
            inner.insert(alarm, self.limit);
        }
    }

    /// When the alarms that are held are due.
    #[cfg(test)]
    pub(super) fn held(&self) -> Vec<i64> {
        self.inner().alarms.iter().map(|alarm| alarm.due).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn insert(&mut self, alarm: Alarm, limit: usize) {
        if self.frontier.as_ref().is_some_and(|frontier| alarm >= *frontier) {
            return;
        }
        self.alarms.insert(alarm);
        if self.alarms.len() > limit {
            self.frontier = self.alarms.pop_last();
        }
    }

    /// Nothing from there on is held any more.
    fn narrow(&mut self, frontier: Alarm) {
        if self.frontier.as_ref().is_none_or(|current| frontier < *current) {
            self.alarms.split_off(&frontier);
            self.frontier = Some(frontier);
        }
    }
}

/// Before all alarms.
fn first() -> Alarm {
    let nothing: Arc<str> = "".into();
    Alarm { due: i64::MIN, position: 0, key: nothing.clone(), name: nothing }
}
