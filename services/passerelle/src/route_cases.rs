//! Cases beside the route files: a call each, and the routes that must take it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue};
use passerelle_bus::contract::Snapshot;
use passerelle_bus::route::{Finding, Names, Set, Trial};
use passerelle_bus::written::Text;
use prost::Message as _;
use prost_reflect::DynamicMessage;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// A file of cases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Cases of routes")]
pub(crate) struct File {
    /// The cases.
    cases: Vec<Written>,
}

/// One case, as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// What it shows.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// The method that is called: `package.Service/Method`.
    method: String,
    /// The metadata of the call.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// When the call comes (RFC 3339). Default: now.
    #[serde(default)]
    received: Option<String>,
    /// The first message, as protobuf's JSON.
    #[serde(default)]
    request: serde_json::Value,
    /// The routes that take it: one name, or a list; `[]`: none.
    #[schemars(with = "Vec<String>")]
    expect: Names,
}

/// A call that is only thought of.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) received: SystemTime,
    pub(crate) request: serde_json::Value,
}

/// One case, ready to be run.
#[derive(Debug)]
pub(crate) struct Case {
    name: String,
    place: String,
    call: Call,
    expected: Vec<String>,
}

impl Case {
    /// Reads the cases of all files.
    pub(crate) fn read(files: &[Text]) -> Result<Vec<Self>, String> {
        let mut cases = Vec::new();
        for Text { name: file, text } in files {
            let read: File =
                serde_saphyr::from_str(text).map_err(|error| format!("{file}: {}", error.without_snippet().render()))?;
            for written in read.cases {
                let at = written.name.referenced;
                let place = format!("{file}:{}:{}", at.line(), at.column());
                cases.push(Self::of(written, place)?);
            }
        }
        Ok(cases)
    }

    fn of(written: Written, place: String) -> Result<Self, String> {
        let received = match &written.received {
            None => SystemTime::now(),
            Some(text) => text
                .parse::<jiff::Timestamp>()
                .map_err(|_| format!("{place}: `received` is no moment, such as 2026-03-01T12:00:00Z"))?
                .into(),
        };
        let request = match written.request {
            serde_json::Value::Null => serde_json::Value::Object(serde_json::Map::new()),
            request => request,
        };
        let metadata = written.metadata.into_iter().collect();
        let call = Call { method: written.method, metadata, received, request };
        Ok(Self { name: written.name.value, place, call, expected: written.expect.0 })
    }

    /// A line that says how the case fails; nothing where it holds.
    pub(crate) fn failure(&self, set: &Set, snapshot: &Snapshot) -> Option<String> {
        let why = match findings(&self.call, set, snapshot) {
            Err(error) => error,
            Ok(findings) => {
                let taking: Vec<String> =
                    findings.into_iter().filter(|finding| finding.takes).map(|finding| finding.route).collect();
                if taking == self.expected {
                    return None;
                }
                format!("taken by {}, expected is {}", listed(&taking), listed(&self.expected))
            }
        };
        Some(format!("{}: {}: {why}", self.place, self.name))
    }
}

/// What each route of its method says to a call.
pub(crate) fn findings(call: &Call, set: &Set, snapshot: &Snapshot) -> Result<Vec<Finding>, String> {
    let path = format!("/{}", call.method.trim_start_matches('/'));
    let Some(method) = snapshot.method(&path) else {
        let waits = if set.waiting().contains_key(&path) { "; its routes wait for it" } else { "" };
        return Err(format!("no contract that the settings name has the method {}{waits}", call.method));
    };
    let message = DynamicMessage::deserialize(method.input.clone(), &call.request)
        .map_err(|error| format!("the request is no {}: {error}", method.input.full_name()))?;
    let mut metadata = HeaderMap::new();
    for (key, value) in &call.metadata {
        let name = HeaderName::try_from(key.as_str()).map_err(|_| format!("`{key}` is no metadata key"))?;
        let value = HeaderValue::from_str(value).map_err(|_| format!("the metadata {key} has signs that it must not"))?;
        metadata.insert(name, value);
    }
    let Some(rules) = set.rules(&path) else { return Ok(Vec::new()) };
    let trial = Trial { metadata: &metadata, received: call.received, message: &message.encode_to_vec() };
    rules.explain(&trial).map_err(|error| error.to_string())
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "no route".to_owned() } else { names.join(", ") }
}
