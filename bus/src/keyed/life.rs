//! What is known of one key: its state, pending timers and last answers. Pure: records in, records out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use passerelle_journal::{AppendError, Entry, History, KeyStep, Position, Stored};
use passerelle_proto::bus::v1::{self, Message, Record, Snapshot};
use prost::Message as _;

use super::forgotten::Forgotten;
use super::instant::{time, timestamp};
use super::key::Key;
use super::{Decider, Decision, Timer};

/// Answers that are remembered with a key; older ones are in the projection.
pub(super) const REMEMBERED: usize = 32;

/// One key, as its records (with those that are not durable yet) make it.
pub(super) struct Life<D: Decider> {
    pub(super) state: D::State,
    /// Of the last record; 0 before the first.
    pub(super) sequence: u64,
    timers: BTreeMap<Arc<str>, SystemTime>,
    /// The oldest first. The last [`REMEMBERED`], and more only as long as they are not durable.
    answered: VecDeque<Answered>,
    forgotten: Forgotten,
    /// No answer that is remembered no more lies after this.
    pub(super) forgotten_to: Position,
}

/// What a command was answered.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    idempotency_key: String,
    pub(super) answer: Bytes,
    /// Of its record; not used once it is durable.
    pub(super) sequence: u64,
    /// `None` as long as it is not durable.
    pub(super) position: Option<Position>,
}

/// What is to be written because of one command or timer.
pub(super) struct Draft<'a, D: Decider> {
    pub(super) now: SystemTime,
    /// Empty: none.
    pub(super) idempotency_key: String,
    /// The timer that fired.
    pub(super) fired: Option<&'a str>,
    pub(super) decision: Decision<D>,
    /// Hold the whole state, whatever the sequence. Only for a decision that changes nothing.
    pub(super) whole: bool,
}

/// A record on its way, and what is to be done when it is durable.
pub(super) struct Written<D: Decider> {
    pub(super) entry: Entry,
    pub(super) events: Vec<D::Event>,
    pub(super) answer: D::Answer,
    pub(super) timers: Vec<Timer>,
}

/// A record is not what it should be: which, and why.
pub(super) type Damage = (Position, String);

impl<D: Decider> Clone for Life<D> {
    fn clone(&self) -> Self {
        let Self { state, sequence, timers, answered, forgotten, forgotten_to } = self;
        Self {
            state: state.clone(),
            sequence: *sequence,
            timers: timers.clone(),
            answered: answered.clone(),
            forgotten: forgotten.clone(),
            forgotten_to: *forgotten_to,
        }
    }
}

impl<D: Decider> Default for Life<D> {
    fn default() -> Self {
        Self {
            state: D::State::default(),
            sequence: 0,
            timers: BTreeMap::new(),
            answered: VecDeque::new(),
            forgotten: Forgotten::Known(None),
            forgotten_to: Position::default(),
        }
    }
}

impl<D: Decider> Life<D> {
    /// What the records of a key make of it.
    pub(super) fn load(decider: &D, history: &History) -> Result<Self, Damage> {
        let mut life = Self::default();
        for stored in &history.records {
            life.fold(decider, stored).map_err(|why| (stored.position, why))?;
        }
        if life.sequence != history.sequence {
            let position = history.records.last().map(|stored| stored.position).unwrap_or_default();
            return Err((position, format!("it is the key's {}th, the journal has {}", life.sequence, history.sequence)));
        }
        Ok(life)
    }

    /// The answer that a command with this idempotency key was given, if it is remembered.
    pub(super) fn answered(&self, idempotency_key: &str) -> Option<&Answered> {
        self.answered.iter().find(|answered| answered.idempotency_key == idempotency_key)
    }

    /// Whether a command with this idempotency key may have been given an answer that is remembered no more.
    pub(super) fn may_have_forgotten(&self, idempotency_key: &str) -> bool {
        self.forgotten.may_hold(idempotency_key)
    }

    /// When the timer is due, if it is to fire at all.
    pub(super) fn timer(&self, name: &str) -> Option<SystemTime> {
        self.timers.get(name).copied()
    }

    /// Makes the record of a decision and takes it as happened. An error changes nothing.
    pub(super) fn write(
        &mut self,
        decider: &D,
        key: &Key,
        draft: Draft<'_, D>,
        snapshot_every: u64,
    ) -> Result<Written<D>, AppendError> {
        let Draft { now, idempotency_key, fired, decision, whole } = draft;
        let Decision { events, outbox, timers, cleared, answer } = decision;
        let mut record = Record {
            time: Some(timestamp(now)),
            kind: D::KIND.to_owned(),
            key: key.plain().to_owned(),
            sequence: self.sequence + 1,
            answer: if idempotency_key.is_empty() { Bytes::new() } else { answer.encode_to_vec().into() },
            idempotency_key,
            events: events.iter().map(|event| message::<D>(key, event, now)).collect(),
            outbox,
            timers: timers.iter().map(written).collect(),
            timers_cleared: cleared,
            snapshot: None,
        };
        if let Some(name) = fired.filter(|name| !record.timers_cleared.iter().any(|cleared| cleared == name)) {
            record.timers_cleared.insert(0, name.to_owned());
        }
        let mut data = encode(&record)?;
        // The records before may be given up at any time: see `Keyed::keep`.
        let revived = self.sequence > 0 && decider.ended(key.plain(), &self.state).is_some_and(|since| since <= now);
        let undo = (whole || revived).then(|| self.clone());
        for event in &events {
            decider.evolve(&mut self.state, event);
        }
        self.take(&record, None);
        if whole || revived || self.sequence.is_multiple_of(snapshot_every) {
            record.snapshot = Some(self.snapshot());
            match (encode(&record), undo) {
                (Ok(with_snapshot), _) => data = with_snapshot,
                (Err(error), Some(before)) => {
                    *self = before;
                    return Err(error);
                }
                // A state too large for a record is kept as its events alone.
                (Err(_), None) => record.snapshot = None,
            }
        }
        let step = KeyStep { key: key.whole().clone(), sequence: record.sequence, snapshot: record.snapshot.is_some() };
        Ok(Written { entry: Entry { data, step: Some(step), fingerprint: None }, events, answer, timers })
    }

    /// Whether timers are still to fire.
    pub(super) fn has_timers(&self) -> bool {
        !self.timers.is_empty()
    }

    /// A record of this key is durable: its answer need not be held back from being forgotten any more.
    pub(super) fn durable(&mut self, sequence: u64, position: Position) {
        let first = self.answered.partition_point(|answered| answered.sequence < sequence);
        if let Some(answered) = self.answered.get_mut(first).filter(|answered| answered.sequence == sequence) {
            answered.position = Some(position);
        }
        self.forget();
    }

    fn fold(&mut self, decider: &D, stored: &Stored) -> Result<(), String> {
        let record = Record::decode(stored.entry.data.clone()).map_err(|error| error.to_string())?;
        if let Some(snapshot) = &record.snapshot {
            return self.restore(&record, snapshot, stored.position);
        }
        if record.sequence != self.sequence + 1 {
            return Err(format!("its sequence is {}, the one before has {}", record.sequence, self.sequence));
        }
        for (index, message) in record.events.iter().enumerate() {
            let event = D::Event::decode(message.data.clone()).map_err(|error| format!("event {index}: {error}"))?;
            decider.evolve(&mut self.state, &event);
        }
        self.take(&record, Some(stored.position));
        self.forget();
        Ok(())
    }

    /// What a record changes beside the state.
    fn take(&mut self, record: &Record, position: Option<Position>) {
        self.sequence = record.sequence;
        for name in &record.timers_cleared {
            self.timers.remove(name.as_str());
        }
        for timer in &record.timers {
            if let Some(due) = timer.due.and_then(time) {
                self.timers.insert(timer.name.as_str().into(), due);
            }
        }
        if !record.idempotency_key.is_empty() {
            self.answered.push_back(Answered {
                idempotency_key: record.idempotency_key.clone(),
                answer: record.answer.clone(),
                sequence: record.sequence,
                position,
            });
        }
    }

    fn forget(&mut self) {
        while self.answered.len() > REMEMBERED
            && let Some(answered) = self.answered.pop_front_if(|answered| answered.position.is_some())
        {
            self.forgotten.add(&answered.idempotency_key);
            self.forgotten_to = answered.position.unwrap_or_default();
        }
    }

    fn snapshot(&self) -> Snapshot {
        let forgotten = self.answered.len().saturating_sub(REMEMBERED);
        Snapshot {
            state: self.state.encode_to_vec(),
            timers: self.timers.iter().map(|(name, due)| written(&Timer { name: name.to_string(), due: *due })).collect(),
            answered: self.answered.iter().skip(forgotten).map(Answered::written).collect(),
        }
    }

    fn restore(&mut self, record: &Record, snapshot: &Snapshot, position: Position) -> Result<(), String> {
        self.state = D::State::decode(&*snapshot.state).map_err(|error| format!("its snapshot: {error}"))?;
        self.sequence = record.sequence;
        let due = |timer: &v1::Timer| Some((timer.name.as_str().into(), timer.due.and_then(time)?));
        self.timers = snapshot.timers.iter().filter_map(due).collect();
        self.answered = snapshot
            .answered
            .iter()
            .map(|answered| Answered {
                idempotency_key: answered.idempotency_key.clone(),
                answer: answered.answer.clone(),
                sequence: record.sequence,
                position: Some(position),
            })
            .collect();
        // A snapshot that is not full holds all answers there ever were.
        self.forgotten = if self.answered.len() < REMEMBERED { Forgotten::Known(None) } else { Forgotten::Unknown };
        self.forgotten_to = position;
        Ok(())
    }
}

impl Answered {
    fn written(&self) -> v1::Answered {
        v1::Answered { idempotency_key: self.idempotency_key.clone(), answer: self.answer.clone() }
    }
}

fn encode(record: &Record) -> Result<Bytes, AppendError> {
    let data = record.encode_to_vec();
    if data.len() > Entry::LARGEST {
        let (length, most) = (data.len(), Entry::LARGEST);
        return Err(AppendError::TooLarge(format!("a record of {length} bytes, at most {most} are taken")));
    }
    Ok(data.into())
}

fn written(timer: &Timer) -> v1::Timer {
    v1::Timer { name: timer.name.clone(), due: Some(timestamp(timer.due)) }
}

fn message<D: Decider>(key: &Key, event: &D::Event, now: SystemTime) -> Message {
    Message {
        r#type: D::event_type(event).to_owned(),
        subject: key.plain().to_owned(),
        time: Some(timestamp(now)),
        data: event.encode_to_vec().into(),
        ..Message::default()
    }
}
