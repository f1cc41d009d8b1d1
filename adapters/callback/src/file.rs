//! The file an integrator writes: one struct is the parser, the JSON schema and the reference.

use std::path::Path;
use std::time::Duration;

use passerelle_adapter::{OpenError, read};
use schemars::JsonSchema;
use serde::Deserialize;

/// How customers are called back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Passerelle callback adapter")]
pub(crate) struct File {
    /// Says which adapter reads this file: always `callback`.
    #[allow(dead_code, reason = "read so that the key is checked; the binary has chosen the adapter by it")]
    pub(crate) adapter: AdapterName,
    /// How an adviser and a customer are brought together.
    #[allow(dead_code, reason = "there is one driver so far")]
    pub(crate) driver: Driver,
    /// Bounds on what waits at the desk.
    #[serde(default)]
    pub(crate) limits: Limits,
}

/// The adapter's name.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AdapterName {
    /// This adapter.
    Callback,
}

/// How an adviser and a customer are brought together.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Driver {
    /// Advisers follow their calls on a screen (`passerelle desk NAME`) and call by their own telephone.
    Desk,
}

/// Bounds on what waits at the desk.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// Advisers who may sit at the same time; one more is refused. Default: 500.
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) seats: u32,
    /// Calls that may wait, ring or be talked at the same time; one more is refused, and tried again later. Default: 5000.
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) calls: u32,
    /// How long one adviser is asked before the next one is, in seconds. Default: 20.
    #[schemars(range(min = 1, max = 3_600))]
    pub(crate) offer_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { seats: 500, calls: 5_000, offer_seconds: 20 }
    }
}

impl Limits {
    pub(crate) fn offer(self) -> Duration {
        Duration::from_secs(self.offer_seconds.into())
    }

    fn check(self) -> Result<(), String> {
        let ranges =
            [("seats", self.seats, 100_000), ("calls", self.calls, 100_000), ("offer_seconds", self.offer_seconds, 3_600)];
        match ranges.into_iter().find(|(_, value, most)| *value == 0 || value > most) {
            Some((name, value, most)) => Err(format!("limits.{name}: {value} is out of range, 1 to {most}")),
            None => Ok(()),
        }
    }
}

impl File {
    /// Reads the text; `path` is for messages only.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, OpenError> {
        let file: Self = read(path, text)?;
        file.limits.check().map_err(|message| OpenError::of_file(path, message))?;
        Ok(file)
    }
}
