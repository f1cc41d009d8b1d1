//! How long things of hand-offs last, as written in the settings.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Hand-offs of matters from one channel to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Handoff")]
pub struct HandoffSettings {
    /// How long an owner has a matter without a sign of life (progress, renewal), in seconds. Then it is offered again.
    #[schemars(range(min = 1, max = 86_400))]
    pub lease_seconds: u64,
    /// How long a matter is offered when the channel that offers it does not say, in seconds.
    #[schemars(range(min = 1, max = 31_536_000))]
    pub offer_seconds: u64,
    /// The longest that a channel may ask for, in seconds.
    #[schemars(range(min = 1, max = 31_536_000))]
    pub longest_offer_seconds: u64,
    /// How long a code serves, in seconds; never longer than the matter is offered.
    #[schemars(range(min = 1, max = 31_536_000))]
    pub code_seconds: u64,
    /// Wrong codes that one channel may try within a minute; all channels together may try ten times as many. Codes have 35 bits: this is
    /// what keeps them from being guessed.
    #[schemars(range(min = 1, max = 100_000))]
    pub wrong_codes_per_minute: u32,
}

impl Default for HandoffSettings {
    fn default() -> Self {
        Self {
            lease_seconds: 5 * 60,
            offer_seconds: 24 * 60 * 60,
            longest_offer_seconds: 30 * 24 * 60 * 60,
            code_seconds: 24 * 60 * 60,
            wrong_codes_per_minute: 30,
        }
    }
}

impl HandoffSettings {
    /// [`HandoffSettings::lease_seconds`] as a duration.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }

    /// [`HandoffSettings::offer_seconds`] as a duration, at most the longest.
    pub fn offer(&self) -> Duration {
        Duration::from_secs(self.offer_seconds).min(self.longest_offer())
    }

    /// [`HandoffSettings::longest_offer_seconds`] as a duration.
    pub fn longest_offer(&self) -> Duration {
        Duration::from_secs(self.longest_offer_seconds)
    }

    /// [`HandoffSettings::code_seconds`] as a duration.
    pub fn code(&self) -> Duration {
        Duration::from_secs(self.code_seconds)
    }
}
