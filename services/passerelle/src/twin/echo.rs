//! The caller's own values in the answer: where the recorded request had a pseudonym, what the caller sent in its place.

use std::collections::HashMap;

use prost_reflect::{DynamicMessage, MapKey, ReflectMessage as _, Value};

/// Shorter values stand everywhere by chance.
const LEAST_CHARS: usize = 3;

/// What the caller says for what was recorded.
#[derive(Debug, Default)]
pub(super) struct Echo(HashMap<String, String>);

impl Echo {
    /// Learns from a recorded request, and the caller's that was taken for the same.
    pub(super) fn learn(&mut self, recorded: &DynamicMessage, sent: &DynamicMessage) {
        for (field, recorded) in recorded.fields() {
            if sent.has_field(&field) {
                self.learn_value(recorded, &sent.get_field(&field));
            }
        }
    }

    fn learn_value(&mut self, recorded: &Value, sent: &Value) {
        match (recorded, sent) {
            (Value::Message(recorded), Value::Message(sent)) if recorded.descriptor() == sent.descriptor() => {
                self.learn(recorded, sent)
            }
            (Value::List(recorded), Value::List(sent)) => {
                recorded.iter().zip(sent).for_each(|(recorded, sent)| self.learn_value(recorded, sent));
            }
            _ => {
                if let (Some(recorded), Some(sent)) = (text(recorded), text(sent))
                    && recorded != sent
                    && recorded.len() >= LEAST_CHARS
                {
                    self.0.insert(recorded, sent);
                }
            }
        }
    }

    /// Puts the caller's values into an answer.
    pub(super) fn speak(&self, message: &mut DynamicMessage) {
        if !self.0.is_empty() {
            message.fields_mut().for_each(|(_, value)| self.speak_value(value));
        }
    }

    fn speak_value(&self, value: &mut Value) {
        match value {
            Value::Message(message) => self.speak(message),
            Value::List(list) => list.iter_mut().for_each(|value| self.speak_value(value)),
            Value::Map(map) => {
                let spoken = map.drain().map(|(key, mut value)| {
                    self.speak_value(&mut value);
                    let key = match &key {
                        MapKey::String(text) => self.0.get(text).map_or(key, |said| MapKey::String(said.clone())),
                        _ => key,
                    };
                    (key, value)
                });
                *map = spoken.collect();
            }
            scalar => {
                if let Some(said) = text(scalar).and_then(|recorded| self.0.get(&recorded)) {
                    say(scalar, said);
                }
            }
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::I32(number) => Some(number.to_string()),
        Value::I64(number) => Some(number.to_string()),
        Value::U32(number) => Some(number.to_string()),
        Value::U64(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Where it fits the type; else the recorded value stays.
fn say(value: &mut Value, said: &str) {
    let other = match value {
        Value::String(_) => Some(Value::String(said.to_owned())),
        Value::I32(_) => said.parse().ok().map(Value::I32),
        Value::I64(_) => said.parse().ok().map(Value::I64),
        Value::U32(_) => said.parse().ok().map(Value::U32),
        Value::U64(_) => said.parse().ok().map(Value::U64),
        _ => None,
    };
    if let Some(other) = other {
        *value = other;
    }
}
