//! When a call is tried again, as people declare it.

use std::time::Duration;

use passerelle_bus::call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tonic::Code;

/// When a call is tried again (gRFC A6): only if its method may be called again, nothing of the answer has come, at most 64 KiB were sent,
/// the deadline allows it, and no other bus on its way does so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// How often a call is tried at most. 1: never again.
    #[schemars(range(min = 1, max = 5))]
    pub attempts: u32,
    /// The pause before the second attempt, give or take a fifth, in milliseconds.
    #[schemars(range(min = 1, max = 60_000))]
    pub initial_backoff_ms: u64,
    /// By how much each pause is longer than the one before.
    #[schemars(range(min = 1, max = 10))]
    pub multiplier: f64,
    /// The longest pause, in milliseconds.
    #[schemars(range(min = 1, max = 600_000))]
    pub longest_backoff_ms: u64,
    /// The outcomes after which a call is tried again.
    pub codes: Vec<RetryCode>,
    /// Failures that empty the throttle of the endpoint; when half of it is gone, nothing is tried again.
    #[schemars(range(min = 1, max = 1_000))]
    pub tokens: u32,
    /// How much of a failure each success makes good.
    #[schemars(range(min = 0.001, max = 1))]
    pub token_ratio: f64,
}

/// An outcome after which trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RetryCode {
    /// It could not be reached, or takes no calls at this moment.
    Unavailable,
    /// It has had too much.
    ResourceExhausted,
    /// It was disturbed by another call.
    Aborted,
    /// It failed in a way that it does not explain.
    Internal,
    /// It does not say what happened.
    Unknown,
}

impl Retry {
    /// As the bus takes it.
    pub(super) fn resolved(&self) -> call::RetrySettings {
        call::RetrySettings {
            attempts: self.attempts,
            initial_backoff: Duration::from_millis(self.initial_backoff_ms),
            multiplier: self.multiplier,
            longest_backoff: Duration::from_millis(self.longest_backoff_ms),
            codes: self.codes.iter().map(|code| code.resolved()).collect(),
            tokens: self.tokens,
            token_ratio: self.token_ratio,
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        let usual = call::RetrySettings::default();
        Self {
            attempts: usual.attempts,
            initial_backoff_ms: usual.initial_backoff.as_millis() as u64,
            multiplier: usual.multiplier,
            longest_backoff_ms: usual.longest_backoff.as_millis() as u64,
            codes: vec![RetryCode::Unavailable],
            tokens: usual.tokens,
            token_ratio: usual.token_ratio,
        }
    }
}

impl RetryCode {
    pub(super) fn resolved(self) -> Code {
        match self {
            Self::Unavailable => Code::Unavailable,
            Self::ResourceExhausted => Code::ResourceExhausted,
            Self::Aborted => Code::Aborted,
            Self::Internal => Code::Internal,
            Self::Unknown => Code::Unknown,
        }
    }
}
