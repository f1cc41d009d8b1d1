//! `conformance.yaml`: what an integrator tells the kit about an adapter. One struct is the parser, the schema and the reference.

use std::collections::BTreeMap;
use std::path::Path;

use passerelle_adapter::{OpenError, read};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The largest file that is read, in bytes.
const FILE_LIMIT_BYTES: u64 = 1 << 20;

/// What the kit is told about an adapter. All of it may be left out; what could not be checked for want of it is reported as not proven, and counts
/// against the maturity.
///
/// In every string of a request, `{unique}` becomes a word that was never used before.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Subject of the conformance kit")]
pub struct SubjectFile {
    /// Where the adapter listens: `unix:PATH` or `http://HOST:PORT`. Without `command` it must be running, and not be configured otherwise.
    pub endpoint: Option<String>,
    /// Starts the adapter, in this file's folder. `{endpoint}` in it becomes a free `unix:PATH` to listen on; without it, it listens on `endpoint`.
    /// With it the kit can also kill the adapter, start it anew, drain it and read what it writes.
    pub command: Vec<String>,
    /// Environment variables for `command`, such as the secrets that the settings name. `{endpoint}` is replaced in them too.
    pub environment: BTreeMap<String, String>,
    /// The adapter's settings, as in the bus's settings file.
    pub settings: Map<String, Value>,
    /// The address (`HOST:PORT`) of the system behind, letter by letter as it stands in the settings. The kit puts a proxy in its place, which delays,
    /// cuts, duplicates and refuses.
    pub behind: Option<String>,
    /// Unary calls that may be made again and again without harm, and what must be in their answers. The more differ, the better.
    pub calls: Vec<Example>,
    /// Unary calls that the system behind or the adapter refuses.
    pub refusals: Vec<RefusalExample>,
    /// A unary call that has an effect, and how to count its effects.
    pub effect: Option<EffectExample>,
    /// A call with several messages in its answer.
    pub stream: Option<StreamExample>,
    /// A unary call that takes a while, at least a second.
    pub slow: Option<SlowExample>,
    /// For adapters that receive: a unary call that makes something come in.
    pub receive: Option<Example>,
    /// Secrets and personal values of settings, requests and answers, at least 4 bytes each. They must never be seen in faults, health or what the
    /// adapter writes.
    pub markers: Vec<String>,
}

/// A call, and what its answer must have.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Full method name: `acme.ledger.v1.Ledger/Balance`.
    pub method: String,
    /// The request, as protobuf JSON.
    #[serde(default)]
    pub request: Map<String, Value>,
    /// Parts that the answer has, as protobuf JSON; what is not named may be anything.
    #[serde(default)]
    pub answer: Map<String, Value>,
}

/// A call that is refused.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusalExample {
    /// Full method name.
    pub method: String,
    /// The request, as protobuf JSON.
    #[serde(default)]
    pub request: Map<String, Value>,
    /// What sort of refusal.
    pub fault: Class,
}

/// The classes of faults, with the sorts of `rejected` by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The request itself is wrong.
    Invalid,
    /// Somebody else changed it meanwhile.
    Conflict,
    /// There is no such thing.
    NotFound,
    /// Not allowed.
    Denied,
    /// Not in the state that this needs.
    Precondition,
    /// Fewer calls are asked for.
    Throttled,
    /// Not reachable; nothing happened.
    Unavailable,
    /// The adapter's credentials are not accepted.
    Unauthenticated,
    /// The deadline passed.
    DeadlineExceeded,
    /// The effect may have happened.
    Unknown,
    /// Not served.
    Unimplemented,
}

/// A call that has an effect.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EffectExample {
    /// Full method name.
    pub method: String,
    /// The request, as protobuf JSON. With `{unique}` in it, also requests that differ under one key are checked.
    #[serde(default)]
    pub request: Map<String, Value>,
    /// How its effects are counted.
    pub proof: Proof,
}

/// A read that counts effects.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Full name of a unary method that reads back.
    pub method: String,
    /// The request, as protobuf JSON.
    #[serde(default)]
    pub request: Map<String, Value>,
    /// Field of the answer that grows by each effect, by its JSON name, dots going down: a number, or a list.
    pub path: String,
    /// By how much one effect lets it grow. Default: 1.
    #[serde(default = "one")]
    pub grows_by: i64,
}

fn one() -> i64 {
    1
}

/// A call with several messages in its answer.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamExample {
    /// Full method name.
    pub method: String,
    /// The request, as protobuf JSON.
    #[serde(default)]
    pub request: Map<String, Value>,
    /// How many messages its answer has, at least 3.
    pub messages: usize,
}

/// A call that takes a while.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowExample {
    /// Full method name.
    pub method: String,
    /// The request, as protobuf JSON.
    #[serde(default)]
    pub request: Map<String, Value>,
    /// How long it takes, in milliseconds: 1000 to 10000.
    pub takes_ms: u64,
}

/// The subject file cannot be used. The text says file, line and column where there is one, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SubjectError(pub String);

impl SubjectFile {
    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<Self, SubjectError> {
        let unreadable = |error: std::io::Error| SubjectError(format!("cannot read {}: {error}", path.display()));
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > FILE_LIMIT_BYTES {
            return Err(SubjectError(format!("{}: the file is {size} bytes, the limit is {FILE_LIMIT_BYTES}", path.display())));
        }
        Self::parse(path, &std::fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Reads the text; `path` is for messages only.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SubjectError> {
        let file: Self = read(path, text).map_err(|OpenError(message)| SubjectError(message))?;
        file.check().map_err(|message| SubjectError(format!("{}: {message}", path.display())))?;
        Ok(file)
    }

    /// The JSON schema of the file.
    pub fn schema() -> Value {
        schemars::schema_for!(Self).to_value()
    }

    /// Whether the kit can start the adapter anew.
    pub fn is_started_here(&self) -> bool {
        !self.command.is_empty()
    }

    fn check(&self) -> Result<(), String> {
        if let Some(behind) = &self.behind {
            let settings = Value::Object(self.settings.clone()).to_string();
            if !settings.contains(behind.as_str()) {
                return Err(format!("behind: `{behind}` does not stand in the settings, so the proxy cannot take its place"));
            }
            if behind.rsplit_once(':').is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err()) {
                return Err(format!("behind: `{behind}` is no HOST:PORT"));
            }
        }
        if let Some(endpoint) = self.endpoint.as_ref().filter(|endpoint| !is_endpoint(endpoint)) {
            return Err(format!("endpoint: `{endpoint}` is neither unix:PATH nor http://HOST:PORT"));
        }
        if self.stream.as_ref().is_some_and(|stream| stream.messages < 3) {
            return Err("stream.messages: a stream of fewer than 3 messages shows nothing".to_owned());
        }
        if self.slow.as_ref().is_some_and(|slow| !(1_000..=10_000).contains(&slow.takes_ms)) {
            return Err("slow.takes_ms: between 1000 and 10000".to_owned());
        }
        if self.effect.as_ref().is_some_and(|effect| effect.proof.grows_by == 0) {
            return Err("effect.proof.grows_by: 0 would show no effect".to_owned());
        }
        if self.markers.iter().any(|marker| marker.len() < 4) {
            return Err("markers: one has fewer than 4 bytes, and would be found by chance".to_owned());
        }
        Ok(())
    }
}

/// Whether it is an address that the kit can dial.
pub fn is_endpoint(text: &str) -> bool {
    text.strip_prefix("unix:").or_else(|| text.strip_prefix("http://")).is_some_and(|rest| !rest.is_empty())
}
