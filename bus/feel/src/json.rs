//! Values from JSON and to it.

use std::sync::Arc;

use serde_json::{Map, Number as JsonNumber, Value as Json};

use crate::value::{Context, Value};

/// A value of JSON. Numbers keep 34 digits only as far as the JSON value does; dates stay texts.
#[must_use]
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => number.to_string().parse().map_or(Value::Null, Value::Number),
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(from_json).collect()),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| (Arc::from(key.as_str()), from_json(value)));
            Value::Context(Arc::new(entries.collect::<Context>()))
        }
    }
}

/// A value as JSON: a number that JSON's would round is a text, as are dates, durations, ranges and functions.
#[must_use]
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Number(number) => {
            let text = number.to_string();
            if let Ok(whole) = text.parse::<i64>() {
                return Json::Number(whole.into());
            }
            let double = text.parse::<f64>().ok().and_then(JsonNumber::from_f64);
            if let Ok(whole) = text.parse::<u64>() {
                return Json::Number(whole.into());
            }
            // Fifteen digits pass through a double unharmed.
            match double {
                Some(double) if text.len() <= 16 => Json::Number(double),
                _ => Json::String(text),
            }
        }
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Context(context) => {
            Json::Object(context.iter().map(|(key, value)| (key.to_string(), to_json(value))).collect::<Map<_, _>>())
        }
        other => Json::String(other.to_string()),
    }
}
