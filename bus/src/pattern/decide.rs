//! What patterns decide: one decider for all of them, whose keys begin with the pattern's name.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use passerelle_projection::rusqlite::types::Value;
use passerelle_proto::bus::v1::{Message, PatternAnswer, PatternBuried, PatternEvent, PatternLoss, PatternState, pattern_event};

use super::aggregate::EXPIRE;
use super::engine::Running;
use super::set::Kind;
use super::step::Step;
use super::{MOST_PATTERNS, state};
use crate::keyed::{Column, Columns, Context, Decider, Decision};

/// How long a key that holds nothing is not over yet: until then its next record needs no snapshot.
const REST: Duration = Duration::from_secs(60 * 60);

/// The decider of all patterns. A key is `NAME/WHAT`.
#[derive(Debug)]
pub struct Decide {
    pub(super) set: Running,
}

/// What is asked of a pattern.
#[derive(Debug, Clone)]
pub enum Command {
    /// Take a message.
    Take {
        /// Which.
        message: Arc<Message>,
        /// Whether messages take the detour, where the pattern is one.
        detour: bool,
    },
    /// Have messages take the detour, or not. For the key [`Decide::SWITCH`] of the pattern.
    Switch(bool),
    /// A timer is due.
    Due(String),
    /// These of those given up are among the dead letters now.
    Buried(Vec<u64>),
    /// Give up all that is held.
    Purge,
}

/// A message that a pattern does not take, and why; without values of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub(super) String);

/// Making dead letters of what was given up.
pub(crate) struct Bury;

impl Bury {
    /// The timer that asks for it again after a crash.
    pub(super) const TIMER: &'static str = "bury";
    /// When that is due.
    pub(super) const AGAIN: Duration = Duration::from_secs(60);
}

impl Decider for Decide {
    type State = PatternState;
    type Event = PatternEvent;
    type Command = Command;
    type Answer = PatternAnswer;
    type Refusal = Refusal;

    const KIND: &'static str = "pattern";

    fn decide(&self, state: &PatternState, command: &Command, context: &Context<'_>) -> Result<Decision<Self>, Refusal> {
        let (name, key) = context.key.split_once('/').unwrap_or((context.key, ""));
        let mut step = Step::new(name, key, context.now, state);
        match command {
            Command::Take { message, detour } => self.take(&mut step, message, *detour)?,
            Command::Switch(on) => step.switch(*on),
            Command::Due(timer) if timer == EXPIRE => self.expire(&mut step),
            Command::Due(_) => {
                if !state.lost.is_empty() {
                    step.lose(Vec::new(), PatternLoss::Unspecified);
                }
            }
            Command::Purge => {
                if state.held.is_empty() {
                    return Err(Refusal("it holds nothing".to_owned()));
                }
                step.forget(EXPIRE);
                step.lose_all(PatternLoss::Purged);
                if state.awaited > 0 {
                    step.close(true);
                }
            }
            Command::Buried(places) => return Ok(buried(state, places)),
        }
        Ok(step.done())
    }

    fn evolve(&self, state: &mut PatternState, event: &PatternEvent) {
        state::evolve(state, event);
    }

    fn due(&self, timer: &str) -> Command {
        Command::Due(timer.to_owned())
    }

    fn ended(&self, key: &str, state: &PatternState) -> Option<SystemTime> {
        let holds = !state.held.is_empty() || !state.lost.is_empty() || state.awaited > 0 || state.detour;
        let name = key.split_once('/').map_or(key, |(name, _)| name);
        let rest = self.set.load().find(name).map_or(REST, |declared| declared.kind.rest().max(REST));
        state::last(state).filter(|_| !holds)?.checked_add(rest)
    }

    fn event_type(event: &PatternEvent) -> &'static str {
        state::event_type(event)
    }
}

impl Decide {
    /// What is said of a pattern as a whole is kept under this key of it.
    pub(super) const SWITCH: &'static str = "";

    fn take(&self, step: &mut Step<'_>, message: &Message, detour: bool) -> Result<(), Refusal> {
        if message.history.len() >= MOST_PATTERNS {
            let why = format!("it passed through {MOST_PATTERNS} patterns already, the last ones in a loop perhaps");
            return Err(Refusal(why));
        }
        let set = self.set.load();
        let Some(declared) = set.find(step.name) else {
            return Err(Refusal("the pattern is not declared any more".to_owned()));
        };
        match &declared.kind {
            Kind::Aggregate(aggregate) => aggregate.take(step, message),
            Kind::Split(split) => split.take(step, message),
            Kind::Resequence(resequence) => resequence.take(step, message),
            Kind::Tap(tap) => tap.take(step, message),
            Kind::Recipients(recipients) => recipients.take(step, message),
            Kind::Gather(gather) if declared.is_answer(message) => gather.answer(step, message),
            Kind::Gather(gather) => gather.ask(step, message),
            Kind::Reply(reply) if declared.is_answer(message) => reply.answer(step, message),
            Kind::Reply(reply) => reply.ask(step, message),
            Kind::Detour(way) => way.take(step, message, detour),
        }
    }

    /// The time of what is held is over. What a pattern held that is not declared any more becomes dead letters.
    fn expire(&self, step: &mut Step<'_>) {
        match self.set.load().find(step.name).map(|declared| &declared.kind) {
            Some(Kind::Aggregate(aggregate)) => aggregate.expire(step),
            Some(Kind::Resequence(resequence)) => resequence.expire(step),
            Some(Kind::Gather(gather)) => gather.expire(step),
            Some(Kind::Reply(reply)) => reply.expire(step),
            _ if step.state.held.is_empty() => {}
            _ => step.lose_all(PatternLoss::Expired),
        }
    }
}

fn buried(state: &PatternState, places: &[u64]) -> Decision<Decide> {
    let event = PatternEvent { event: Some(pattern_event::Event::Buried(PatternBuried { places: places.to_vec() })) };
    let mut decision = Decision::new(vec![event], PatternAnswer {});
    if state.lost.iter().all(|lost| places.contains(&lost.place)) {
        decision.cleared.push(Bury::TIMER.to_owned());
    }
    decision
}

impl Columns for Decide {
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column { name: "holds", sql: "INTEGER NOT NULL", indexed: true },
        Column { name: "bytes", sql: "INTEGER NOT NULL", indexed: false },
        Column { name: "since", sql: "INTEGER NOT NULL", indexed: false },
    ];

    fn row(state: &PatternState) -> Vec<Value> {
        let since = state.since.map_or(0, |since| since.seconds);
        vec![Value::Integer(state.held.len() as i64), Value::Integer(state::held_bytes(state) as i64), Value::Integer(since)]
    }
}
