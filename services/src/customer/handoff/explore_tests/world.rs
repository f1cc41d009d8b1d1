//! The world: a journal of records, what the bus has in memory, three clients and the time.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::time::{Duration, SystemTime};

use passerelle_bus::keyed::{Context, Decider, Decision};
use passerelle_proto::bus::v1::handoff_state::Phase;
use passerelle_proto::bus::v1::{Answered, HandoffEvent, HandoffState, Message, Record, Snapshot, Timer};
use prost::Message as _;
use siphasher::sip128::{Hasher128, SipHasher13};

use super::super::decide::waits_for;
use super::super::moments::moment;
use super::super::{Command, Handoff, Refusal, view};
use super::client::{CHANNELS, Call, Client, OFFERED, Sent, TAKINGS};
use super::monitor::Monitor;

const RULES: Handoff = Handoff { lease: Duration::from_secs(100), code: OFFERED };
const KEY: &str = "matter";
/// Every so many records one is a snapshot, so that rebuilding begins in the middle too.
const SNAPSHOT_EVERY: usize = 4;

/// What becomes of a write and its answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fate {
    /// Written, and answered.
    Answered,
    /// Written; the bus crashes before it answers.
    Lost,
    /// The bus crashes before it writes.
    NeverWritten,
}

#[derive(Debug, Clone)]
pub(super) struct World {
    now: SystemTime,
    records: Vec<Record>,
    memory: Memory,
    clients: [Client; CHANNELS.len()],
    codes: u8,
    pub(super) crashes: u8,
    monitor: Monitor,
}

/// What the bus knows, all of it from the records.
#[derive(Debug, Clone, Default, PartialEq)]
struct Memory {
    state: HandoffState,
    timers: BTreeMap<String, SystemTime>,
    answered: BTreeMap<String, HandoffState>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000),
            records: Vec::new(),
            memory: Memory::default(),
            clients: Default::default(),
            codes: 0,
            crashes: 0,
            monitor: Monitor::default(),
        }
    }
}

impl World {
    /// What a client can send.
    pub(super) fn can_send(&self, client: usize) -> Vec<Sent> {
        let full = self.memory.state.fence >= TAKINGS;
        self.clients[client].calls(client, self.memory.state.phase.is_some(), self.codes, full)
    }

    /// Sends a call; tells in words what became of it.
    pub(super) fn send(&mut self, client: usize, sent: &Sent, fate: Fate) -> String {
        let before = self.memory.clone();
        self.clients[client].unanswered = Some(sent.clone());
        let (outcome, words) = match self.memory.answered.get(&sent.key) {
            Some(answer) => (Ok(answer.clone()), "repeated".to_owned()),
            None => {
                let command = sent.command(client);
                let decided = RULES.decide(&self.memory.state, &command, &Context { key: KEY, now: self.now });
                match decided {
                    Err(refusal) => (Err(refusal.clone()), said(&refusal)),
                    Ok(_) if fate == Fate::NeverWritten => return self.crash(&before),
                    Ok(decision) => {
                        let answer = decision.answer.clone();
                        self.write(&sent.key, &command, decision, None);
                        if let Call::Offer | Call::IssueCode(_) = sent.call {
                            self.codes += 1;
                        }
                        if let Call::Accept | Call::Resume(_) | Call::TakeBack = sent.call {
                            assert_eq!(
                                answer.answers, self.monitor.answers,
                                "who takes it is told everything, and asks nothing twice"
                            );
                        }
                        (Ok(answer), format!("{:?}", sent.call))
                    }
                }
            }
        };
        if fate != Fate::Answered {
            let after = self.memory.clone();
            self.crash(&after);
            return words;
        }
        if let (Call::Progress, Ok(answer)) = (sent.call, &outcome) {
            assert!(answer.revision == sent.revision + 1 && self.monitor.step >= sent.revision, "an acknowledged step is kept");
        }
        self.clients[client].hears(sent, &outcome);
        words
    }

    /// A client is started anew, without the answer that it waited for and without what it knew.
    pub(super) fn forgets(&self, client: usize) -> Option<Self> {
        let unanswered = self.clients[client].unanswered.as_ref()?;
        // Whoever offers without knowing would offer another matter, which is another world.
        if unanswered.call == Call::Offer {
            return None;
        }
        let mut world = self.clone();
        world.clients[client].forget();
        Some(world)
    }

    /// The next timer fires, if it is due.
    pub(super) fn fires(&self, fate: Fate) -> Option<Self> {
        let name = self.memory.timers.iter().find(|(_, due)| **due <= self.now).map(|(name, _)| name.clone())?;
        let mut world = self.clone();
        if fate != Fate::NeverWritten {
            let command = RULES.due(&name);
            let decision = RULES.decide(&world.memory.state, &command, &Context { key: KEY, now: world.now });
            world.write("", &command, decision.expect("a timer is not refused"), Some(name));
        }
        if fate != Fate::Answered {
            let kept = world.memory.clone();
            world.crash(&kept);
        }
        Some(world)
    }

    /// Time passes until the next timer is due; others may come before it fires.
    pub(super) fn time_passes(&self) -> Option<Self> {
        let due = self.memory.timers.values().min().filter(|due| **due > self.now)?;
        Some(Self { now: *due, ..self.clone() })
    }

    /// What must be true of every world.
    pub(super) fn check(&self) {
        let Memory { state, timers, .. } = &self.memory;
        let waits_for = waits_for(state).map(|(name, due)| (name.to_owned(), due));
        assert_eq!(timers.clone().into_iter().collect::<Vec<_>>(), waits_for.into_iter().collect::<Vec<_>>(), "the one timer");
        let ended = matches!(state.phase, Some(Phase::End(_)));
        assert_eq!(timers.is_empty(), ended || state.phase.is_none(), "what is not at its end has a timer");
        assert_eq!(state.answers, self.monitor.answers, "no answer vanishes");
        if state.phase.is_some() {
            assert_eq!(state.step, self.monitor.step.to_string(), "no step is lost");
        }
        self.ends_when_nobody_comes();
    }

    fn ends_when_nobody_comes(&self) {
        let mut world = self.clone();
        for _ in 0..4 {
            world = world.time_passes().unwrap_or(world);
            world = world.fires(Fate::Answered).unwrap_or(world);
        }
        assert!(world.memory.timers.is_empty(), "timers alone bring every matter to its end");
    }

    pub(super) fn phase(&self) -> &'static str {
        use passerelle_proto::customer::v1::handoff::Status;
        match view::status(&self.memory.state) {
            Status::Unspecified => "",
            Status::Offered => "offered",
            Status::Owned => "owned",
            Status::Completed => "completed",
            Status::TakenBack => "taken back",
            Status::Expired => "expired",
        }
    }

    /// The same for worlds that differ in the date, the history and the number of records only.
    pub(super) fn fingerprint(&self) -> u128 {
        let mut hasher = SipHasher13::new();
        let Memory { state, timers, answered } = &self.memory;
        let left = |due: &SystemTime| due.duration_since(self.now).ok();
        (state.revision, state.fence, &state.step, &state.answers).hash(&mut hasher);
        match &state.phase {
            Some(Phase::Open(open)) => (1, open.code.as_ref().map(|code| &code.hash)).hash(&mut hasher),
            Some(Phase::Owned(owned)) => (2, &owned.channel).hash(&mut hasher),
            Some(Phase::End(end)) => (3, end.ending).hash(&mut hasher),
            None => 0.hash(&mut hasher),
        }
        timers.iter().for_each(|(name, due)| (name, left(due)).hash(&mut hasher));
        answered.keys().for_each(|key| key.hash(&mut hasher));
        // How far the next snapshot is matters to what a crash leaves.
        (self.records.len() % SNAPSHOT_EVERY, self.codes, self.crashes, &self.clients).hash(&mut hasher);
        self.monitor.relative(self.now).hash(&mut hasher);
        hasher.finish128().as_u128()
    }

    /// The bus loses its memory, and rebuilds it from the records. It must be what it was.
    fn crash(&mut self, before: &Memory) -> String {
        self.crashes += 1;
        self.memory = rebuilt(&self.records);
        assert_eq!(self.memory, *before, "the records hold everything");
        "crashed before the write".to_owned()
    }

    fn write(&mut self, idempotency_key: &str, command: &Command, decision: Decision<Handoff>, fired: Option<String>) {
        for event in &decision.events {
            self.monitor.sees(event, command);
        }
        let message = |event: &HandoffEvent| Message { data: event.encode_to_vec().into(), ..Message::default() };
        let mut record = Record {
            idempotency_key: idempotency_key.to_owned(),
            answer: decision.answer.encode_to_vec().into(),
            events: decision.events.iter().map(message).collect(),
            timers: decision.timers.iter().map(|timer| Timer { name: timer.name.clone(), due: Some(timer.due.into()) }).collect(),
            timers_cleared: fired.into_iter().chain(decision.cleared).collect(),
            ..Record::default()
        };
        self.memory.fold(&record);
        if (self.records.len() + 1) % SNAPSHOT_EVERY == 0 {
            record.snapshot = Some(self.memory.snapshot());
        }
        self.records.push(record);
    }
}

fn rebuilt(records: &[Record]) -> Memory {
    let from = records.iter().rposition(|record| record.snapshot.is_some()).unwrap_or(0);
    let mut memory = Memory::default();
    records[from..].iter().for_each(|record| memory.fold(record));
    memory
}

impl Memory {
    fn fold(&mut self, record: &Record) {
        if let Some(snapshot) = &record.snapshot {
            let answer = |answered: &Answered| (answered.idempotency_key.clone(), decoded(&answered.answer));
            *self = Self {
                state: decoded(&snapshot.state),
                timers: snapshot.timers.iter().map(|timer| (timer.name.clone(), moment(timer.due))).collect(),
                answered: snapshot.answered.iter().map(answer).collect(),
            };
            return;
        }
        for message in &record.events {
            RULES.evolve(&mut self.state, &decoded(&message.data));
        }
        record.timers_cleared.iter().for_each(|name| drop(self.timers.remove(name)));
        self.timers.extend(record.timers.iter().map(|timer| (timer.name.clone(), moment(timer.due))));
        if !record.idempotency_key.is_empty() {
            self.answered.insert(record.idempotency_key.clone(), decoded(&record.answer));
        }
    }

    fn snapshot(&self) -> Snapshot {
        let answered = self.answered.iter().map(|(key, answer)| Answered {
            idempotency_key: key.clone(),
            answer: answer.encode_to_vec().into(),
            ..Answered::default()
        });
        Snapshot {
            state: self.state.encode_to_vec(),
            timers: self.timers.iter().map(|(name, due)| Timer { name: name.clone(), due: Some((*due).into()) }).collect(),
            answered: answered.collect(),
        }
    }
}

fn decoded<M: prost::Message + Default>(bytes: &[u8]) -> M {
    M::decode(bytes).expect("what was encoded")
}

/// A refusal without its numbers.
fn said(refusal: &Refusal) -> String {
    let words = format!("{refusal:?}");
    format!("refused: {}", words.split([' ', '(']).next().unwrap_or_default())
}
