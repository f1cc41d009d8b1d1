//! Answers that are kept for a short time, within a bound on their bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::key::Key;

/// What a kept answer takes beside its own bytes, about; so the bound on bytes is one on their number too.
const OVERHEAD_BYTES: usize = 512;
/// No answer takes more than this part of the whole.
const LARGEST_PART: usize = 16;

/// Kept answers. The one that is out of date first makes room first: all are for seconds, so that the order of their last use says little more.
#[derive(Debug)]
pub(super) struct Kept {
    most_bytes: usize,
    bytes: usize,
    answers: HashMap<Key, Entry>,
    /// By the moment from which on each is too old.
    ends: BTreeMap<(Instant, u64), Key>,
    number: u64,
}

#[derive(Debug)]
struct Entry {
    answer: Arc<Answer>,
    began: Instant,
    bytes: usize,
    end: (Instant, u64),
}

impl Kept {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, bytes: 0, answers: HashMap::new(), ends: BTreeMap::new(), number: 0 }
    }

    /// An answer with its age, not older than `oldest`.
    pub(super) fn find(&self, key: &Key, now: Instant, oldest: Duration) -> Option<(Arc<Answer>, Duration)> {
        let entry = self.answers.get(key)?;
        let age = now.saturating_duration_since(entry.began);
        (now < entry.end.0 && age <= oldest).then(|| (entry.answer.clone(), age))
    }

    /// Keeps an answer whose call to the back office began at `began`, unless it is too large, too old already, or older than what is kept.
    pub(super) fn keep(&mut self, key: &Key, answer: &Arc<Answer>, began: Instant, tolerance: Duration, now: Instant) {
        self.forget_old(now);
        let bytes = OVERHEAD_BYTES + key.len() + answer.bytes();
        let is_small = bytes <= self.most_bytes / LARGEST_PART;
        let Some(end) = began.checked_add(tolerance).filter(|end| *end > now && is_small) else {
            return;
        };
        if self.answers.get(key).is_some_and(|entry| entry.began > began) {
            return;
        }
        self.forget(key);
        self.bytes += bytes;
        while self.bytes > self.most_bytes
            && let Some((_, first)) = self.ends.pop_first()
        {
            self.gone(&first);
        }
        self.number += 1;
        let end = (end, self.number);
        self.ends.insert(end, key.clone());
        self.answers.insert(key.clone(), Entry { answer: answer.clone(), began, bytes, end });
    }

    /// Answers and their bytes, those that are out of date aside.
    pub(super) fn size(&mut self, now: Instant) -> (usize, usize) {
        self.forget_old(now);
        (self.answers.len(), self.bytes)
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some(first) = self.ends.first_entry().filter(|first| first.key().0 <= now) {
            let key = first.remove();
            self.gone(&key);
        }
    }

    fn forget(&mut self, key: &Key) {
        if let Some(entry) = self.answers.remove(key) {
            self.ends.remove(&entry.end);
            self.bytes -= entry.bytes;
        }
    }

    /// Its end has been taken out already.
    fn gone(&mut self, key: &Key) {
        if let Some(entry) = self.answers.remove(key) {
            self.bytes -= entry.bytes;
        }
    }
}
