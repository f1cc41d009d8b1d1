//! The world: a journal of records, what the bus has in memory, three clients and the time.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::rc::Rc;
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
    records: Vec<Rc<Record>>,
    memory: Rc<Memory>,
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
    answered: BTreeMap<String, Rc<HandoffState>>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000),
            records: Vec::new(),
            memory: Rc::default(),
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
        let before = Rc::clone(&self.memory);
        self.clients[client].unanswered = Some(sent.clone());
        let (outcome, words) = match self.memory.answered.get(&sent.key) {
            Some(answer) => (Ok(HandoffState::clone(answer)), "repeated".to_owned()),
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
            let after = Rc::clone(&self.memory);
            self.crash(&after);
            return words;
        }
        if let (Call::Progress, Ok(answer)) = (sent.call, &outcome) {
            assert!(answer.revision == sent.revision + 1 && self.monitor.step >= sent.revision, "an acknowledged step is kept");
        }
        self.clients[client].hears(sent, &outcome);
        words
    }

    /// A client gives up waiting for an answer.
    pub(super) fn gives_up(&self, client: usize) -> Option<Self> {
        let unanswered = self.clients[client].unanswered.as_ref()?;
        // Whoever offers without knowing would offer another matter, which is another world.
        if unanswered.call == Call::Offer {
            return None;
        }
        let mut world = self.clone();
        world.clients[client].gives_up();
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
            let kept = Rc::clone(&world.memory);
            world.crash(&kept);
        }
        Some(world)
    }

    /// Time passes until the next timer is due; others may come before it fires.
    pub(super) fn time_passes(&self) -> Option<Self> {
        let due = self.memory.timers.values().min().filter(|due| **due > self.now)?;
        Some(Self { now: *due, ..self.clone() })
    }

    /// Whether the matter is at its end: what clients ask then is refused, or a repetition.
    pub(super) fn ended(&self) -> bool {
        matches!(self.memory.state.phase, Some(Phase::End(_)))
    }

    /// What must be true of every world.
    pub(super) fn check(&self) {
        let Memory { state, timers, .. } = &*self.memory;
        let waits_for = waits_for(state).map(|(name, due)| (name.to_owned(), due));
        assert_eq!(timers.clone().into_iter().collect::<Vec<_>>(), waits_for.into_iter().collect::<Vec<_>>(), "the one timer");
        assert_eq!(timers.is_empty(), self.ended() || state.phase.is_none(), "what is not at its end has a timer");
        assert_eq!(state.answers, self.monitor.answers, "no answer vanishes");
        if state.phase.is_some() {
            assert_eq!(state.step, self.monitor.step.to_string(), "no step is lost");
        }
        self.ends_when_nobody_comes();
        if self.ended() {
            (0..CHANNELS.len()).for_each(|client| self.nothing_more_happens(client));
        }
    }

    fn nothing_more_happens(&self, client: usize) {
        for sent in self.can_send(client) {
            let mut then = self.clone();
            let outcome = then.send(client, &sent, Fate::Answered);
            assert!(outcome == "repeated" || outcome == "refused: Ended" || outcome == "refused: Known", "{outcome}");
            assert_eq!(then.records.len(), self.records.len());
        }
    }

    fn ends_when_nobody_comes(&self) {
        let mut state = self.memory.state.clone();
        // Owned, offered, over.
        for _ in 0..2 {
            let Some((name, due)) = waits_for(&state) else { return };
            let decision = RULES.decide(&state, &RULES.due(name), &Context { key: KEY, now: due.max(self.now) });
            decision.expect("a timer is not refused").events.iter().for_each(|event| RULES.evolve(&mut state, event));
        }
        assert_eq!(waits_for(&state), None, "timers alone bring every matter to its end");
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

    /// The same for worlds from which the same can come: the date, the way here, the names of idempotency keys and which of the two
    /// channels that did not offer is which make no difference, nor by which of the fences that do not own it somebody is not the owner.
    pub(super) fn fingerprint(&self) -> u128 {
        let mut hasher = SipHasher13::new();
        let Memory { state, timers, .. } = &*self.memory;
        let phase = match &state.phase {
            None => 0,
            Some(Phase::Open(open)) => 1 + i32::from(open.code.is_some()),
            Some(Phase::Owned(_)) => 3,
            Some(Phase::End(end)) => 4 + end.ending,
        };
        let left: Vec<_> = timers.iter().map(|(name, due)| (name, due.duration_since(self.now).ok())).collect();
        (phase, left, state.revision, state.fence, &state.step, &state.answers).hash(&mut hasher);
        let mut clients: Vec<_> = (0..CHANNELS.len()).map(|client| self.stands(client)).collect();
        clients[1..].sort();
        (clients, self.codes, self.crashes).hash(&mut hasher);
        self.monitor.relative(self.now).hash(&mut hasher);
        hasher.finish128().as_u128()
    }

    /// Where a client stands, as far as it matters to what can come: whether it owns the matter, whether it thinks so, and what it asks again.
    fn stands(&self, client: usize) -> impl Hash + Ord + use<> {
        let state = &self.memory.state;
        let owned_by = |channel: &str| matches!(&state.phase, Some(Phase::Owned(owned)) if owned.channel == channel);
        let owner_at = |fence: u64, revision: u64| {
            let owner = matches!(state.phase, Some(Phase::Owned(_))) && fence == state.fence;
            if owner { revision } else { 0 }
        };
        let Client { owns, unanswered, .. } = &self.clients[client];
        let unanswered = unanswered.as_ref().map(|sent| {
            let answer = self.memory.answered.get(&sent.key).map(|answer| owner_at(answer.fence, answer.revision));
            let serves = match (&sent.call, &state.phase) {
                (Call::Resume(number), Some(Phase::Open(open))) => open.code.as_ref().is_some_and(|code| code.hash == [*number]),
                _ => false,
            };
            (sent.call.sort(), serves, owner_at(sent.fence, sent.revision), answer)
        });
        (owned_by(CHANNELS[client]), owns.map(|(fence, revision)| owner_at(fence, revision)), unanswered)
    }

    /// The bus loses its memory, and rebuilds it from the records. It must be what it was.
    fn crash(&mut self, before: &Memory) -> String {
        self.crashes += 1;
        let rebuilt = rebuilt(&self.records);
        assert_eq!(rebuilt, *before, "the records hold everything");
        assert_eq!(Memory::of(&rebuilt.snapshot()), rebuilt, "and so does a snapshot");
        self.memory = Rc::new(rebuilt);
        "crashed before the write".to_owned()
    }

    fn write(&mut self, idempotency_key: &str, command: &Command, decision: Decision<Handoff>, fired: Option<String>) {
        for event in &decision.events {
            self.monitor.sees(event, command);
        }
        let message = |event: &HandoffEvent| Message { data: event.encode_to_vec().into(), ..Message::default() };
        let record = Record {
            idempotency_key: idempotency_key.to_owned(),
            answer: decision.answer.encode_to_vec().into(),
            events: decision.events.iter().map(message).collect(),
            timers: decision.timers.iter().map(|timer| Timer { name: timer.name.clone(), due: Some(timer.due.into()) }).collect(),
            timers_cleared: fired.into_iter().chain(decision.cleared).collect(),
            ..Record::default()
        };
        Rc::make_mut(&mut self.memory).fold(&record);
        self.records.push(Rc::new(record));
    }
}

fn rebuilt(records: &[Rc<Record>]) -> Memory {
    let mut memory = Memory::default();
    records.iter().for_each(|record| memory.fold(record));
    memory
}

impl Memory {
    fn fold(&mut self, record: &Record) {
        for message in &record.events {
            RULES.evolve(&mut self.state, &decoded(&message.data));
        }
        for name in &record.timers_cleared {
            self.timers.remove(name);
        }
        self.timers.extend(record.timers.iter().map(|timer| (timer.name.clone(), moment(timer.due))));
        if !record.idempotency_key.is_empty() {
            self.answered.insert(record.idempotency_key.clone(), Rc::new(decoded(&record.answer)));
        }
    }

    fn of(snapshot: &Snapshot) -> Self {
        let answer = |answered: &Answered| (answered.idempotency_key.clone(), Rc::new(decoded(&answered.answer)));
        Self {
            state: decoded(&snapshot.state),
            timers: snapshot.timers.iter().map(|timer| (timer.name.clone(), moment(timer.due))).collect(),
            answered: snapshot.answered.iter().map(answer).collect(),
        }
    }

    fn snapshot(&self) -> Snapshot {
        let answered = self
            .answered
            .iter()
            .map(|(key, answer)| Answered { idempotency_key: key.clone(), answer: answer.encode_to_vec().into() });
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
