//! Messages held against each other, as JSON: whole, or without the fields that are not compared.

use std::collections::{BTreeSet, HashSet};

use prost::Message as _;
use prost_reflect::{DynamicMessage, ReflectMessage as _, SerializeOptions, Value as Field};
use serde_json::Value;

/// Paths that a difference names.
const MAX_PATHS: usize = 10;

/// A message as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compared {
    /// All of it, in an order of its own.
    pub(super) whole: String,
    /// Without the fields that are not compared.
    pub(super) masked: String,
    json: Value,
}

impl Compared {
    /// Nothing if it cannot be JSON.
    pub(super) fn new(message: &DynamicMessage, not_compared: &HashSet<String>) -> Option<Self> {
        let whole = json(message)?.to_string();
        let mut masked = message.clone();
        mask(&mut masked, not_compared);
        let json = json(&masked)?;
        Some(Self { whole, masked: json.to_string(), json })
    }

    /// Where the other one differs: paths of fields, never values.
    pub(super) fn differences(&self, other: &Self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        differ("", &self.json, &other.json, &mut found);
        found
    }
}

/// The paths for people; a few of them, if there are many.
pub(super) fn listed(paths: &BTreeSet<String>) -> String {
    let some: Vec<&str> = paths.iter().take(MAX_PATHS).map(String::as_str).collect();
    let more = paths.len().saturating_sub(MAX_PATHS);
    if more > 0 { format!("{} and {more} more", some.join(", ")) } else { some.join(", ") }
}

/// As JSON with its keys in order: maps have none.
fn json(message: &DynamicMessage) -> Option<Value> {
    let options = SerializeOptions::new().use_proto_field_name(true);
    Some(sorted(message.serialize_with_options(serde_json::value::Serializer, &options).ok()?))
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(sorted).collect()),
        value => value,
    }
}

/// Clears fields wherever they are.
fn mask(message: &mut DynamicMessage, names: &HashSet<String>) {
    if message.descriptor().full_name() == "google.protobuf.Any" {
        mask_any(message, names);
        return;
    }
    let mut gone = Vec::new();
    for (field, value) in message.fields_mut() {
        if names.contains(field.full_name()) { gone.push(field) } else { mask_value(value, names) }
    }
    gone.iter().for_each(|field| message.clear_field(field));
    let mut gone = Vec::new();
    for (extension, value) in message.extensions_mut() {
        if names.contains(extension.full_name()) { gone.push(extension) } else { mask_value(value, names) }
    }
    gone.iter().for_each(|extension| message.clear_extension(extension));
}

fn mask_value(value: &mut Field, names: &HashSet<String>) {
    match value {
        Field::Message(message) => mask(message, names),
        Field::List(list) => list.iter_mut().for_each(|value| mask_value(value, names)),
        Field::Map(map) => map.values_mut().for_each(|value| mask_value(value, names)),
        _ => {}
    }
}

/// One that cannot be read is compared as it is.
fn mask_any(any: &mut DynamicMessage, names: &HashSet<String>) -> Option<()> {
    let url = any.get_field_by_number(1)?.as_str()?.to_owned();
    let kind = any.descriptor().parent_pool().get_message_by_name(url.rsplit('/').next()?)?;
    let mut inner = DynamicMessage::decode(kind, any.get_field_by_number(2)?.as_bytes()?.clone()).ok()?;
    mask(&mut inner, names);
    any.set_field_by_number(2, Field::Bytes(inner.encode_to_vec().into()));
    Some(())
}

fn differ(path: &str, one: &Value, other: &Value, found: &mut BTreeSet<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for key in one.keys().chain(other.keys()) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                differ(&path, one.get(key).unwrap_or(&Value::Null), other.get(key).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (place, (one, other)) in one.iter().zip(other).enumerate() {
                differ(&format!("{path}[{place}]"), one, other, found);
            }
        }
        (one, other) if one == other => {}
        _ => {
            found.insert(if path.is_empty() { "the whole message".to_owned() } else { path.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_told_by_path() {
        let paths = |one: Value, other: Value| {
            let mut found = BTreeSet::new();
            differ("", &one, &other, &mut found);
            listed(&found)
        };
        assert_eq!(paths(json!({"a": 1, "b": {"c": [1, 2]}}), json!({"a": 1, "b": {"c": [1, 3]}})), "b.c[1]");
        assert_eq!(paths(json!({"a": [1]}), json!({"a": [], "d": 7})), "a, d");
        assert_eq!(paths(json!({"a": 1}), json!({"a": 1})), "");
        let many: serde_json::Map<String, Value> = (10..30).map(|number| (format!("f{number}"), json!(1))).collect();
        assert!(paths(Value::Object(many), json!({})).ends_with("f19 and 10 more"));
    }
}
