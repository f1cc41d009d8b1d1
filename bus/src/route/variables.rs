//! What conditions may name: attributes of the call's envelope, its metadata, and fields of its request.

use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName};
use jiff::tz::TimeZone;
use passerelle_feel::temporal::{DateTime, Zone};
use passerelle_feel::{Number, Scope, Value};
use prost_reflect::{Kind, MessageDescriptor};

use super::peek::{FieldPath, PathError, Peek, PeekError};

/// Names of the customer, the reason and the priority of a call in its metadata.
const CUSTOMER: HeaderName = HeaderName::from_static("passerelle-customer");
const REASON: HeaderName = HeaderName::from_static("passerelle-reason");
const PRIORITY: HeaderName = HeaderName::from_static("passerelle-priority");

/// Variables of one method's conditions at most.
const MOST_VARIABLES: usize = 200;

/// What an envelope says besides its metadata.
const ATTRIBUTES: [(&str, Attribute); 7] = [
    ("method", Attribute::Method),
    ("service", Attribute::Service),
    ("channel", Attribute::Channel),
    ("customer", Attribute::Customer),
    ("reason", Attribute::Reason),
    ("priority", Attribute::Priority),
    ("received", Attribute::Received),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attribute {
    Method,
    Service,
    Channel,
    Customer,
    Reason,
    Priority,
    Received,
}

/// Where a variable's value comes from.
#[derive(Debug, Clone, PartialEq)]
enum From {
    Attribute(Attribute),
    Metadata(HeaderName),
    /// A field, by its place among those that are read.
    Field(usize),
}

/// A name in a condition that leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(super) enum NameError {
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("`request` as a whole is not looked at: name a field of it (request.{0})")]
    WholeRequest(String),
    #[error("more than {MOST_VARIABLES} fields and metadata keys are named by the routes of this method")]
    TooMany,
}

/// What a call says about itself before its messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) channel_key: &'a HeaderName,
    pub(crate) received: SystemTime,
}

/// The variables of one method's conditions: found name by name, then read for every call.
#[derive(Debug)]
pub(super) struct Variables {
    method: Arc<str>,
    input: MessageDescriptor,
    names: Vec<Arc<str>>,
    from: Vec<From>,
    paths: Vec<FieldPath>,
}

/// The same, ready to be read.
#[derive(Debug)]
pub(super) struct Reading {
    method: Value,
    service: Value,
    from: Vec<From>,
    peek: Option<Peek>,
}

/// What conditions may name, as people write it.
pub(super) fn known() -> String {
    let attributes = ATTRIBUTES.iter().map(|(name, _)| *name);
    attributes.chain(["metadata.KEY", "request.FIELD"]).collect::<Vec<_>>().join(", ")
}

impl Variables {
    /// None yet, of calls of this method.
    pub(super) fn new(method: &str, input: MessageDescriptor) -> Self {
        Self { method: method.into(), input, names: Vec::new(), from: Vec::new(), paths: Vec::new() }
    }

    /// Adds what a condition names, before it is compiled. Each field gets a variable of its own, named by its whole path: nothing of a
    /// request is ever built but the values that are compared.
    pub(super) fn add(&mut self, condition: &str) -> Result<(), NameError> {
        for chain in chains(condition) {
            match chain.as_slice() {
                ["metadata", key, ..] => {
                    if let Ok(name) = HeaderName::try_from(*key) {
                        self.variable(format!("metadata.{key}"), From::Metadata(name))?;
                    }
                }
                ["request"] => {
                    let first = self.input.fields().next().map_or("FIELD".to_owned(), |field| field.name().to_owned());
                    return Err(NameError::WholeRequest(first));
                }
                ["request", names @ ..] => {
                    let (path, used) = FieldPath::resolve(&self.input, names)?;
                    let name = format!("request.{}", names[..used].join("."));
                    let place = self.paths.len();
                    if self.variable(name, From::Field(place))? {
                        self.paths.push(path);
                    }
                }
                [name, ..] => {
                    if let Some((name, attribute)) = ATTRIBUTES.iter().find(|(known, _)| known == name) {
                        self.variable((*name).to_owned(), From::Attribute(*attribute))?;
                    }
                }
                [] => {}
            }
        }
        Ok(())
    }

    /// Whether it is new.
    fn variable(&mut self, name: String, from: From) -> Result<bool, NameError> {
        if self.names.iter().any(|known| **known == *name) {
            return Ok(false);
        }
        if self.names.len() == MOST_VARIABLES {
            return Err(NameError::TooMany);
        }
        self.names.push(name.into());
        self.from.push(from);
        Ok(true)
    }

    /// The scope to compile conditions in, once all have been added.
    pub(super) fn scope(&self) -> Scope {
        Scope { names: self.names.clone(), ..Scope::default() }
    }

    pub(super) fn name(&self, variable: usize) -> &str {
        self.names.get(variable).map_or("", |name| name)
    }

    /// The kind of a variable that has one value; nothing where it may have several, or any.
    pub(super) fn kind(&self, variable: usize) -> Option<Kind> {
        match self.from.get(variable)? {
            From::Attribute(Attribute::Received) => None,
            From::Attribute(Attribute::Priority) => Some(Kind::Int64),
            From::Attribute(_) | From::Metadata(_) => Some(Kind::String),
            From::Field(place) => self.paths.get(*place)?.scalar(),
        }
    }

    pub(super) fn reading(self) -> Reading {
        let service = self.method.split_once('/').map_or("", |(service, _)| service);
        Reading {
            service: Value::text(service),
            method: Value::Text(self.method.clone()),
            peek: (!self.paths.is_empty()).then(|| Peek::new(&self.input, &self.paths)),
            from: self.from,
        }
    }
}

impl Reading {
    /// Whether the request's message is needed.
    pub(super) fn looks_into(&self) -> bool {
        self.peek.is_some()
    }

    /// The values of all variables.
    pub(super) fn values(&self, envelope: &Envelope<'_>, message: &[u8]) -> Result<Vec<Value>, PeekError> {
        let mut fields = self.peek.as_ref().map(|peek| peek.read(message)).transpose()?.unwrap_or_default();
        let value = |from: &From| match from {
            From::Attribute(Attribute::Method) => self.method.clone(),
            From::Attribute(Attribute::Service) => self.service.clone(),
            From::Attribute(Attribute::Channel) => text(envelope, envelope.channel_key),
            From::Attribute(Attribute::Customer) => text(envelope, &CUSTOMER),
            From::Attribute(Attribute::Reason) => text(envelope, &REASON),
            From::Attribute(Attribute::Priority) => number(envelope, &PRIORITY),
            From::Attribute(Attribute::Received) => received(envelope),
            From::Metadata(name) => text(envelope, name),
            From::Field(place) => fields.get_mut(*place).map_or(Value::Null, |value| std::mem::replace(value, Value::Null)),
        };
        Ok(self.from.iter().map(value).collect())
    }
}

fn text(envelope: &Envelope<'_>, key: &HeaderName) -> Value {
    envelope.headers.get(key).and_then(|value| value.to_str().ok()).map_or(Value::Null, Value::text)
}

fn number(envelope: &Envelope<'_>, key: &HeaderName) -> Value {
    let written = envelope.headers.get(key).and_then(|value| value.to_str().ok()).filter(|text| text.len() <= 20);
    written.and_then(|text| text.parse::<Number>().ok()).map_or(Value::Null, Value::Number)
}

fn received(envelope: &Envelope<'_>) -> Value {
    jiff::Timestamp::try_from(envelope.received).map_or(Value::Null, |at| {
        let civil = TimeZone::UTC.to_datetime(at);
        Value::DateTime(Arc::new(DateTime { civil, zone: Zone::Offset(0) }))
    })
}

/// The names that stand in a condition with points between them (`request.customer.segment`), texts and comments left out.
fn chains(condition: &str) -> Vec<Vec<&str>> {
    let bytes = condition.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &condition[at..];
        let skipped = if rest.starts_with('"') {
            quoted(rest)
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            let (chain, length) = chain(rest);
            // Behind a point stands a part of some other value.
            if !chain.is_empty() && !condition[..at].ends_with('.') {
                found.push(chain);
            }
            length.max(rest.chars().next().map_or(1, char::len_utf8))
        };
        at += skipped;
    }
    found
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

fn chain(text: &str) -> (Vec<&str>, usize) {
    let mut names = Vec::new();
    let mut at = 0;
    loop {
        // A metadata key holds hyphens; nothing can be taken away from a text, so it is never a minus.
        let hyphens = names.first() == Some(&"metadata");
        let rest = &text[at..];
        let fits = |c: char| c.is_alphanumeric() || c == '_' || (hyphens && c == '-');
        let length = rest.find(|c: char| !fits(c)).unwrap_or(rest.len());
        if length == 0 {
            break;
        }
        names.push(&rest[..length]);
        at += length;
        if !text[at..].starts_with('.') || !text[at + 1..].starts_with(|c: char| c.is_alphabetic() || c == '_') {
            break;
        }
        at += 1;
    }
    (names, at)
}
