//! The routes of one method, compiled: which of them take a call.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName};
use metrics::Counter;
use passerelle_feel::{Environment, Expression, Limits, Value};

use super::decided::Decide;
use super::index::Index;
use super::observe::{ROUTED, UNDECIDED};
use super::peek::{Malformed, PeekError};
use super::strip::Strip;
use super::variables::{Envelope, Reading};
use super::written::Mode;
use crate::contract::Method;
use crate::keyed::Clock;

/// What one condition may use.
pub const CONDITION_LIMITS: Limits = Limits {
    steps: 50_000,
    depth: 64,
    list_items: 10_000,
    text_bytes: 1 << 20,
    memory_bytes: 8 << 20,
    time: Duration::from_millis(5),
};

/// The routes of one method.
pub struct Rules {
    pub(super) method: String,
    pub(super) mode: Mode,
    pub(super) reading: Reading,
    pub(super) routes: Vec<Rule>,
    pub(super) index: Index,
    pub(super) goals: Vec<Goal>,
    pub(super) needs_message: bool,
    pub(super) channel_key: HeaderName,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) undecided: OnceLock<Counter>,
}

/// Where calls go, besides where they would go without routes.
#[derive(Debug, Clone)]
pub struct Goal {
    /// An endpoint of the settings; `None`: the one that serves the method.
    pub endpoint: Option<String>,
    /// The method that is called there.
    pub method: Arc<Method>,
}

/// One route.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(super) name: Arc<str>,
    pub(super) place: String,
    pub(super) when: Option<Expression>,
    pub(super) to: To,
    pub(super) also: Vec<usize>,
    pub(super) strip: Option<Strip>,
    pub(super) taken: OnceLock<Counter>,
}

/// Where a route sends a call.
#[derive(Debug)]
pub(super) enum To {
    /// To this one of the goals.
    Goal(usize),
    /// To the one that a decision chooses.
    Decided(Decide),
}

/// A route that takes a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken<'a> {
    pub(crate) rule: &'a Rule,
    /// Its destination among the goals.
    pub(crate) to: usize,
}

/// What a condition came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Neither: something was null, of another type, or a limit was met. The route is passed over.
    Undecided(String),
}

impl Rules {
    /// Whether a call's first message is needed to choose, or to be changed or copied.
    pub(crate) fn needs_message(&self) -> bool {
        self.needs_message
    }

    /// Where its calls may go.
    pub fn goals(&self) -> &[Goal] {
        &self.goals
    }

    /// What a call says about itself that comes now.
    pub(crate) fn envelope<'a>(&'a self, headers: &'a HeaderMap) -> Envelope<'a> {
        Envelope { headers, channel_key: &self.channel_key, received: self.clock.now() }
    }

    /// The routes that take a call: at most one where the first is meant.
    pub(crate) fn choose(&self, envelope: &Envelope<'_>, message: &[u8]) -> Result<Vec<Taken<'_>>, PeekError> {
        let values = self.reading.values(envelope, message)?;
        let mut chosen = Vec::new();
        for number in self.index.candidates(&values) {
            let rule = &self.routes[number];
            match rule.takes(&values, envelope.received) {
                Ok(Some(to)) => {
                    rule.count();
                    chosen.push(Taken { rule, to });
                    if self.mode == Mode::First {
                        break;
                    }
                }
                Ok(None) => {}
                Err(_) => self.count_undecided(),
            }
        }
        Ok(chosen)
    }

    fn count_undecided(&self) {
        let method = || metrics::counter!(UNDECIDED, "rpc_method" => self.method.clone());
        self.undecided.get_or_init(method).increment(1);
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Rules({} routes of {})", self.routes.len(), self.method)
    }
}

impl Rule {
    /// Whether it changes or copies the message.
    pub(super) fn handles_message(&self) -> bool {
        self.strip.is_some() || !self.also.is_empty()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn also(&self) -> &[usize] {
        &self.also
    }

    /// The message as its destinations get it; nothing where that is as it came.
    pub(crate) fn stripped(&self, message: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        self.strip.as_ref().map(|strip| strip.apply(message)).transpose()
    }

    pub(super) fn holds(&self, values: &[Value], now: SystemTime) -> Held {
        let Some(when) = &self.when else { return Held::Yes };
        match when.evaluate(values, &Environment::at(now).within(CONDITION_LIMITS)) {
            Ok(evaluated) => match evaluated.value {
                Value::Boolean(true) => Held::Yes,
                Value::Boolean(false) => Held::No,
                other => {
                    let reason = evaluated.warnings.into_iter().next();
                    Held::Undecided(reason.unwrap_or_else(|| format!("it came to {}", other.type_name())))
                }
            },
            Err(exceeded) => Held::Undecided(exceeded.to_string()),
        }
    }

    /// Where it sends a call, if it takes it; or why nobody knows.
    fn takes(&self, values: &[Value], now: SystemTime) -> Result<Option<usize>, String> {
        match (self.holds(values, now), &self.to) {
            (Held::No, _) => Ok(None),
            (Held::Undecided(why), _) => Err(why),
            (Held::Yes, To::Goal(goal)) => Ok(Some(*goal)),
            (Held::Yes, To::Decided(decide)) => decide.goal(values, now).map(Some),
        }
    }

    /// What its condition comes to, what its decision says, and its destination among the goals.
    pub(super) fn explained(&self, values: &[Value], now: SystemTime) -> (Held, String, Option<usize>) {
        match (self.holds(values, now), &self.to) {
            (Held::Yes, To::Decided(decide)) => match decide.explain(values, now) {
                Ok((said, goal)) => (Held::Yes, said, Some(goal)),
                Err(why) => (Held::Undecided(why), String::new(), None),
            },
            (Held::Yes, To::Goal(goal)) => (Held::Yes, String::new(), Some(*goal)),
            (held, _) => (held, String::new(), None),
        }
    }

    fn count(&self) {
        let route = || metrics::counter!(ROUTED, "passerelle_route" => self.name.to_string());
        self.taken.get_or_init(route).increment(1);
    }
}
