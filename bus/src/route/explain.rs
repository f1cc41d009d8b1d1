//! A call that is only thought of: which routes would take it, and why the others would not.

use std::time::SystemTime;

use http::HeaderMap;

use super::rules::{Goal, Held, Rules};
use super::variables::Envelope;
use super::written::Mode;

/// A call that is only thought of.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    /// Its metadata.
    pub metadata: &'a HeaderMap,
    /// When it would come.
    pub received: SystemTime,
    /// Its first message.
    pub message: &'a [u8],
}

/// What one route says to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The route's name.
    pub route: String,
    /// Where it is written.
    pub place: String,
    /// What its condition comes to.
    pub held: Held,
    /// What its decision says, and by which rules of its table; empty where it has none.
    pub decided: String,
    /// Where it sends the call: an endpoint, a method, or both; empty: where it would go without it.
    pub to: String,
    /// Whether it takes the call: where the first is meant, the others that would are not reached.
    pub takes: bool,
}

/// A message that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl Rules {
    /// The names of the routes that take a call, found as for a call.
    ///
    /// # Errors
    /// The message cannot be read, as a call's would be refused.
    pub fn taken_by(&self, trial: &Trial<'_>) -> Result<Vec<&str>, Unreadable> {
        let chosen = self.choose(&self.trial(trial), trial.message).map_err(|error| Unreadable(error.to_string()))?;
        Ok(chosen.into_iter().map(|taken| taken.rule.name()).collect())
    }

    /// What each route says to a call, in their order.
    ///
    /// # Errors
    /// The message cannot be read, as a call's would be refused.
    pub fn explain(&self, trial: &Trial<'_>) -> Result<Vec<Finding>, Unreadable> {
        let envelope = self.trial(trial);
        let values = self.reading.values(&envelope, trial.message).map_err(|error| Unreadable(error.to_string()))?;
        let mut findings: Vec<Finding> = Vec::new();
        let mut taken = false;
        for rule in &self.routes {
            let (held, decided, goal) = rule.explained(&values, envelope.received);
            let takes = held == Held::Yes && (self.mode == Mode::All || !taken);
            taken |= takes;
            let to = goal.and_then(|goal| self.goals.get(goal)).map(|goal| self.destination(goal)).unwrap_or_default();
            findings.push(Finding { route: rule.name.to_string(), place: rule.place.clone(), held, decided, to, takes });
        }
        Ok(findings)
    }

    fn destination(&self, goal: &Goal) -> String {
        let method = Some(goal.method.path.trim_start_matches('/')).filter(|method| *method != self.method);
        match (method, &goal.endpoint) {
            (Some(method), Some(endpoint)) => format!("{method} at {endpoint}"),
            (Some(method), None) => method.to_owned(),
            (None, endpoint) => endpoint.clone().unwrap_or_default(),
        }
    }

    fn trial<'a>(&'a self, trial: &Trial<'a>) -> Envelope<'a> {
        Envelope { headers: trial.metadata, channel_key: &self.channel_key, received: trial.received }
    }
}
