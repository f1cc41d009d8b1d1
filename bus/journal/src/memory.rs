//! A journal in memory, for tests: durable as long as the process lives.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::durability::Announcer;
use crate::{
    AppendError, Durability, Entry, Fingerprint, History, Journal, KeyStep, KeysPage, Outcome, Position, ReadError, Receipt,
    Stored,
};

/// Records in a vector. Unlike the log it has no bound, and acknowledges at once.
#[derive(Debug)]
pub struct Memory {
    inner: Mutex<Inner>,
    durable: Announcer,
}

#[derive(Debug, Default)]
struct Inner {
    /// How many records were given up before the first of `records`.
    trimmed: u64,
    records: Vec<Stored>,
    fingerprints: HashMap<Fingerprint, Position>,
    keys: HashMap<Arc<str>, u64>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { inner: Mutex::default(), durable: Announcer::new(Durability::default()) }
    }
}

impl Memory {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Journal for Memory {
    async fn append(&self, entries: Vec<Entry>) -> Result<Receipt, AppendError> {
        entries.iter().try_for_each(Entry::check)?;
        let (answer, receipt) = Receipt::open();
        let mut inner = self.inner();
        let outcomes = entries.into_iter().map(|entry| inner.write(entry)).collect();
        let position = inner.last();
        self.durable.tell(|durable| {
            let new = inner.records.iter().rev().take_while(|stored| stored.position > durable.position);
            let keyed = new.filter(|stored| stored.entry.step.is_some()).map(|stored| stored.position).next();
            durable.keyed = keyed.unwrap_or(durable.keyed);
            durable.position = position;
        });
        // Whoever asked may have gone.
        let _ = answer.send(Ok(outcomes));
        Ok(receipt)
    }

    fn read(&self, from: Position, bytes: usize) -> Result<Vec<Stored>, ReadError> {
        let inner = self.inner();
        let from = from.max(Position(1));
        let first = inner.kept(from)?;
        let mut page = Vec::new();
        let mut sum = 0;
        for stored in inner.records.iter().skip((from.0 - first.0) as usize) {
            sum += stored.entry.data.len();
            if sum > bytes && !page.is_empty() {
                break;
            }
            page.push(stored.clone());
        }
        Ok(page)
    }

    fn durable(&self) -> watch::Receiver<Durability> {
        self.durable.each()
    }

    fn decided(&self) -> watch::Receiver<Durability> {
        self.durable.decided()
    }

    fn first(&self) -> Position {
        Position(self.inner().trimmed + 1)
    }

    fn history(&self, key: &str) -> Result<History, ReadError> {
        let inner = self.inner();
        let of_key = |stored: &&Stored| stored.entry.step.as_ref().is_some_and(|step| &*step.key == key);
        let mut records: Vec<Stored> = inner.records.iter().filter(of_key).cloned().collect();
        let is_snapshot = |stored: &Stored| stored.entry.step.as_ref().is_some_and(|step| step.snapshot);
        if let Some(snapshot) = records.iter().rposition(is_snapshot) {
            records.drain(..snapshot);
        }
        Ok(History { records, sequence: inner.keys.get(key).copied().unwrap_or_default() })
    }

    fn keys(&self, from: Position, before: Position) -> Result<KeysPage, ReadError> {
        let inner = self.inner();
        inner.kept(from.max(Position(1)))?;
        let there = inner.records.iter().filter(|stored| stored.position >= from && stored.position < before);
        let keys: BTreeSet<_> = there.filter_map(|stored| Some(stored.entry.step.as_ref()?.key.clone())).collect();
        Ok(KeysPage { keys: keys.into_iter().collect(), next: before })
    }

    async fn trim(&self, position: Position) -> Result<Position, AppendError> {
        let mut inner = self.inner();
        let kept = position.0.saturating_sub(1).clamp(inner.trimmed, inner.last().0);
        let gone = kept - inner.trimmed;
        inner.records.drain(..gone as usize);
        inner.trimmed = kept;
        // A key without records is as one that was never written.
        let Inner { records, keys, .. } = &mut *inner;
        let alive: HashSet<_> = records.iter().filter_map(|stored| Some(&stored.entry.step.as_ref()?.key)).collect();
        keys.retain(|key, _| alive.contains(key));
        Ok(Position(kept + 1))
    }
}

impl Inner {
    /// The first position, when `asked` is not before it.
    fn kept(&self, asked: Position) -> Result<Position, ReadError> {
        let first = Position(self.trimmed + 1);
        if asked < first { Err(ReadError::Trimmed { asked, first }) } else { Ok(first) }
    }

    fn last(&self) -> Position {
        Position(self.trimmed + self.records.len() as u64)
    }

    fn write(&mut self, entry: Entry) -> Outcome {
        if let Some(first) = entry.fingerprint.and_then(|fingerprint| self.fingerprints.get(&fingerprint)) {
            return Outcome::Repeated(*first);
        }
        if let Some(KeyStep { key, sequence, .. }) = &entry.step {
            let last = self.keys.get(key).copied().unwrap_or_default();
            if last + 1 != *sequence {
                return Outcome::OutOfSequence { last };
            }
            self.keys.insert(key.clone(), *sequence);
        }
        let position = self.last().next();
        self.fingerprints.extend(entry.fingerprint.map(|fingerprint| (fingerprint, position)));
        self.records.push(Stored { position, entry });
        Outcome::Written(position)
    }
}
