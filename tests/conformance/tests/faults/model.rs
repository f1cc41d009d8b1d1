//! What a journal must have, told by what it acknowledged. A broken law panics.

use std::collections::HashMap;
use std::sync::Arc;

use passerelle_journal::{AppendError, Entry, Fingerprint, History, Outcome, Position, Stored};

/// The entries of one call of `append`.
pub(crate) type Append = Vec<Entry>;

/// What an append was answered.
pub(crate) type Answered = Result<Vec<Outcome>, AppendError>;

/// The records that are durable, and those that may be.
#[derive(Clone)]
pub(crate) struct Model {
    /// The record at position 1 is the first, trimmed or not.
    records: Vec<Entry>,
    /// Submitted and not answered: after a recovery a prefix of them is there.
    flight: Vec<Append>,
    /// What is older may be gone.
    trimmed: Position,
    keys: HashMap<Arc<str>, Vec<Position>>,
    fingerprints: Vec<(Fingerprint, Position)>,
    places: HashMap<Fingerprint, Position>,
    /// So many of the last fingerprints must be known.
    window: usize,
    /// The disk may be full: appends may be refused.
    pub(crate) may_be_full: bool,
}

/// What a recovery made of the writes that were in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// There were none.
    Clean,
    /// All of their records are there.
    Whole,
    /// Some are.
    Part,
    /// None is.
    Gone,
}

/// What must become of one entry.
enum Fate {
    Written,
    Repeated,
    /// Known once, but trimmed or out of the window.
    Either,
    OutOfSequence,
}

impl Model {
    pub(crate) fn new(window: usize) -> Self {
        Self {
            records: Vec::new(),
            flight: Vec::new(),
            trimmed: Position(1),
            keys: HashMap::new(),
            fingerprints: Vec::new(),
            places: HashMap::new(),
            window,
            may_be_full: false,
        }
    }

    /// Position of the last durable record.
    pub(crate) fn last(&self) -> Position {
        Position(self.records.len() as u64)
    }

    pub(crate) fn record(&self, position: Position) -> &Entry {
        &self.records[position.0 as usize - 1]
    }

    pub(crate) fn sequence(&self, key: &str) -> u64 {
        self.keys.get(key).map_or(0, |positions| positions.len() as u64)
    }

    /// The fingerprint written so many before the last.
    pub(crate) fn recent(&self, back: usize) -> Option<Fingerprint> {
        self.fingerprints.iter().rev().nth(back).map(|(fingerprint, _)| *fingerprint)
    }

    /// Up to where everything may be trimmed: every key has a snapshot at or after.
    pub(crate) fn trimmable(&self) -> Position {
        let newest = |positions: &Vec<Position>| positions.iter().rev().copied().find(|position| self.is_snapshot(*position));
        self.keys.values().map(|positions| newest(positions).unwrap_or(Position(1))).min().unwrap_or(self.last())
    }

    fn is_snapshot(&self, position: Position) -> bool {
        self.record(position).step.as_ref().is_some_and(|step| step.snapshot)
    }

    /// Appends are handed to the engine.
    pub(crate) fn submit(&mut self, appends: &[Append]) {
        assert!(self.flight.is_empty(), "one write at a time");
        self.flight = appends.to_vec();
    }

    /// The engine has answered all of them: the laws of an acknowledgement. How many records are durable by it.
    pub(crate) fn answered(&mut self, answers: Vec<Answered>) -> u64 {
        let before = self.last();
        let flight = std::mem::take(&mut self.flight);
        assert_eq!(flight.len(), answers.len(), "one answer each");
        let mut failed = false;
        for (append, answer) in flight.into_iter().zip(answers) {
            assert!(!failed || answer.is_err(), "acknowledged after a failure: {answer:?}");
            match answer {
                Ok(outcomes) => {
                    assert_eq!(append.len(), outcomes.len(), "one outcome each");
                    append.into_iter().zip(outcomes).for_each(|(entry, outcome)| self.outcome(entry, outcome));
                }
                Err(AppendError::Full(_)) => assert!(self.may_be_full, "refused for room on an empty disk"),
                Err(AppendError::Failed(_)) => {
                    failed = true;
                    self.flight.push(append);
                }
                Err(other) => panic!("{other}"),
            }
        }
        self.last().0 - before.0
    }

    fn outcome(&mut self, entry: Entry, outcome: Outcome) {
        let fate = self.fate(&entry);
        match (fate, outcome) {
            (Fate::Written | Fate::Either, Outcome::Written(position)) => {
                assert_eq!(position, self.last().next(), "positions have no holes");
                self.push(entry);
            }
            (Fate::Repeated | Fate::Either, Outcome::Repeated(position)) => {
                assert!(position <= self.last(), "a repetition of {position}, the last being {}", self.last());
                assert_eq!(self.record(position).fingerprint, entry.fingerprint, "a repetition of what is at {position}");
            }
            (Fate::OutOfSequence | Fate::Either, Outcome::OutOfSequence { last }) => {
                let step = entry.step.expect("only keyed entries have a sequence");
                assert_eq!(last, self.sequence(&step.key), "the last sequence of {}", step.key);
                assert_ne!(last + 1, step.sequence, "in sequence");
            }
            (_, outcome) => panic!("{outcome:?} for {entry:?}, the last being {}", self.last()),
        }
    }

    fn fate(&self, entry: &Entry) -> Fate {
        if let Some(position) = entry.fingerprint.and_then(|fingerprint| self.places.get(&fingerprint)) {
            let newer = self.fingerprints.iter().rev().take_while(|(_, other)| other > position).count();
            return if newer < self.window && *position >= self.trimmed { Fate::Repeated } else { Fate::Either };
        }
        match &entry.step {
            Some(step) if step.sequence != self.sequence(&step.key) + 1 => Fate::OutOfSequence,
            _ => Fate::Written,
        }
    }

    fn push(&mut self, entry: Entry) {
        let position = self.last().next();
        if let Some(step) = &entry.step {
            assert_eq!(step.sequence, self.sequence(&step.key) + 1, "sequences have no holes");
            self.keys.entry(step.key.clone()).or_default().push(position);
        }
        if let Some(fingerprint) = entry.fingerprint {
            self.fingerprints.push((fingerprint, position));
            self.places.insert(fingerprint, position);
        }
        self.records.push(entry);
    }

    /// A trim was asked for.
    pub(crate) fn trim(&mut self, position: Position) {
        self.trimmed = self.trimmed.max(position);
    }

    /// The laws of a recovery, over everything that is read after it. What was found is durable from now on.
    pub(crate) fn recovered(&mut self, found: Vec<Stored>) -> Tail {
        let before = self.last();
        if let Some(first) = found.first() {
            assert!(first.position <= self.trimmed, "the first record is {}, trimmed was {}", first.position, self.trimmed);
        }
        let mut tail = Vec::new();
        let mut expected = found.first().map_or(Position(1), |stored| stored.position);
        for stored in found {
            assert_eq!(stored.position, expected, "positions have no holes");
            expected = expected.next();
            if stored.position > before {
                tail.push(stored.entry);
            } else {
                assert_eq!(&stored.entry, self.record(stored.position), "record {} is not what was written", stored.position);
            }
        }
        assert!(expected > before, "acknowledged up to {before}, found up to {expected} exclusively");
        self.adopt(tail)
    }

    /// Matches what was found beyond the acknowledged records with what was in flight.
    fn adopt(&mut self, found: Vec<Entry>) -> Tail {
        let flight = std::mem::take(&mut self.flight);
        let clean = flight.is_empty();
        let count = found.len();
        let mut complete = true;
        let mut found = found.into_iter().peekable();
        for append in flight {
            let mut first = true;
            for entry in append {
                let fate = self.fate(&entry);
                if matches!(fate, Fate::Written | Fate::Either) && found.peek() == Some(&entry) {
                    assert!(complete || self.may_be_full, "what was submitted is there, but not what was submitted before it");
                    found.next();
                    self.push(entry);
                } else if matches!(fate, Fate::Written) {
                    complete = false;
                    if first && self.may_be_full {
                        break;
                    }
                }
                first = false;
            }
        }
        if let Some(entry) = found.next() {
            panic!("{} records were never submitted, or are there without what was submitted before: {entry:?}", found.len() + 1);
        }
        match (clean, complete, count) {
            (true, ..) => Tail::Clean,
            (_, true, _) => Tail::Whole,
            (_, _, 0) => Tail::Gone,
            _ => Tail::Part,
        }
    }

    /// A repair has given up everything from here on.
    pub(crate) fn give_up(&mut self, from: Position) {
        let records = std::mem::take(&mut self.records);
        *self = Self { may_be_full: self.may_be_full, trimmed: self.trimmed, ..Self::new(self.window) };
        records.into_iter().take(from.0 as usize - 1).for_each(|entry| self.push(entry));
    }

    /// The law of a history.
    pub(crate) fn history(&self, key: &str, history: History) {
        let all = self.keys.get(key).map(Vec::as_slice).unwrap_or_default();
        let from = all.iter().rposition(|position| self.is_snapshot(*position)).unwrap_or_default();
        let expected: Vec<Position> = all[from..].to_vec();
        let found: Vec<Position> = history.records.iter().map(|stored| stored.position).collect();
        assert_eq!(found, expected, "the history of {key}");
        assert_eq!(history.sequence, all.len() as u64, "the sequence of {key}");
        for stored in &history.records {
            assert_eq!(&stored.entry, self.record(stored.position), "record {} in the history of {key}", stored.position);
        }
    }

    pub(crate) fn keys(&self) -> Vec<Arc<str>> {
        let mut keys: Vec<Arc<str>> = self.keys.keys().cloned().collect();
        keys.sort_unstable();
        keys
    }
}
