//! When a slow call is asked for once more, as people declare it.

use std::time::Duration;

use passerelle_bus::call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::retry::RetryCode;

/// When a slow read is asked for once more, at another address where there is one, and the first good answer is given (gRFC A6, "Hedging"). Each
/// attempt takes a place and a token; where none is free there is no further one. A hedged call is not retried besides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hedge {
    /// How long after each attempt the next one begins if there is no good answer until then, in milliseconds: what nineteen of twenty calls take.
    #[schemars(range(min = 1, max = 600_000))]
    pub delay_ms: u64,
    /// Attempts at most, the first one included. Default: 2.
    #[serde(default = "Hedge::usual_attempts")]
    #[schemars(range(min = 2, max = 5))]
    pub attempts: u32,
    /// The outcomes after which the next attempt begins at once; any other one is the answer. Default: UNAVAILABLE.
    #[serde(default = "Hedge::usual_codes")]
    pub codes: Vec<RetryCode>,
}

impl Hedge {
    /// As the bus takes it.
    pub(super) fn resolved(&self) -> call::HedgeSettings {
        call::HedgeSettings {
            attempts: self.attempts,
            delay: Duration::from_millis(self.delay_ms),
            codes: self.codes.iter().map(|code| code.resolved()).collect(),
        }
    }

    fn usual_attempts() -> u32 {
        2
    }

    fn usual_codes() -> Vec<RetryCode> {
        vec![RetryCode::Unavailable]
    }
}
