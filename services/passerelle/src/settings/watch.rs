//! What operators see of Passerelle: logs and traces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::Address;

/// What is logged, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How a line is written.
    pub format: LogFormat,
    /// How much: `error`, `warn`, `info`, `debug` or `trace`; by part of the program if wanted: `info,passerelle_bus=debug`.
    pub level: LogLevel,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    #[default]
    Human,
    /// For machines: one JSON object a line.
    Json,
}

/// Directives of [`EnvFilter`], known to be well formed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct LogLevel(String);

impl LogLevel {
    /// The filter that they make.
    pub fn filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

impl TryFrom<String> for LogLevel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            |why: String| format!("`{text}` is no log level ({why}); write for example info or info,passerelle_bus=debug");
        // A bare word that is no level would be taken for the name of a part of the program, and silence everything else.
        if text.split(',').any(|part| !part.contains('=') && part.trim().parse::<tracing::Level>().is_err()) {
            return Err(wrong("levels are error, warn, info, debug and trace".to_owned()));
        }
        EnvFilter::try_new(&text).map_err(|error| wrong(error.to_string()))?;
        Ok(Self(text))
    }
}

impl From<LogLevel> for String {
    fn from(level: LogLevel) -> Self {
        level.0
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

/// Traces over OTLP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// The collector that takes traces over OTLP/gRPC, `http://host:4317`. Not set: no traces. Plain HTTP/2 only; run a
    /// collector beside Passerelle where traces travel further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_endpoint: Option<Address>,
    /// The name under which traces appear (`service.name`).
    pub service_name: String,
    /// Share of traces that are kept, of those that begin here; a caller's own choice is always followed.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sample_ratio: f64,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { otlp_endpoint: None, service_name: "passerelle".to_owned(), sample_ratio: 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_level_is_checked_when_it_is_read() {
        for good in ["info", "warn,passerelle_bus=debug", "INFO"] {
            assert!(LogLevel::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "loud", "inof,passerelle_bus=debug", "passerelle_bus=loud"] {
            assert!(LogLevel::try_from(bad.to_owned()).unwrap_err().contains("write for example"), "{bad}");
        }
    }
}
