//! Values in the JSON of certificates: none loses its type or its digits.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::json::to_json;
use crate::temporal;
use crate::value::{Context, Range, Value};

/// JSON that is no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a value of '{0}' cannot be read")]
pub(super) struct Unwritten(String);

/// A value as JSON.
pub(super) fn value(of: &Value) -> Json {
    match of {
        Value::Null => Json::Null,
        Value::Boolean(truth) => Json::Bool(*truth),
        Value::Text(text) => Json::String(text.to_string()),
        Value::Number(number) => match to_json(of) {
            Json::Number(written) if written.to_string() == number.to_string() => Json::Number(written),
            _ => json!({ "@number": number.to_string() }),
        },
        Value::Date(_) => json!({ "@date": of.to_string() }),
        Value::Time(_) => json!({ "@time": of.to_string() }),
        Value::DateTime(_) => json!({ "@date and time": of.to_string() }),
        Value::Months(_) | Value::Duration(_) => json!({ "@duration": of.to_string() }),
        Value::List(items) => items.iter().map(value).collect(),
        Value::Context(context) => entries(context),
        Value::Range(range) => json!({ "@range": {
            "start": value(&range.start),
            "end": value(&range.end),
            "start_included": range.start_included,
            "end_included": range.end_included,
            "outside": range.outside,
            "compared": range.compared,
        }}),
        Value::Function(_) => json!({ "@function": null }),
    }
}

/// A context as JSON: an object, or its entries as a list where an object would change their order or their meaning.
pub(super) fn entries(context: &Context) -> Json {
    let plain = context.iter().all(|(name, _)| !name.starts_with('@')) && context.iter().is_sorted_by(|(a, _), (b, _)| a < b);
    if plain {
        return Json::Object(context.iter().map(|(name, of)| (name.to_string(), value(of))).collect());
    }
    json!({ "@context": context.iter().map(|(name, of)| json!([&**name, value(of)])).collect::<Vec<_>>() })
}

/// A value from its JSON.
pub(super) fn read(json: &Json) -> Result<Value, Unwritten> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Boolean(*truth),
        Json::String(text) => Value::text(text.as_str()),
        Json::Number(number) => Value::Number(number.to_string().parse().map_err(|_| Unwritten("@number".to_owned()))?),
        Json::Array(items) => Value::list(items.iter().map(read).collect::<Result<_, _>>()?),
        Json::Object(object) => match object.iter().next().filter(|(name, _)| object.len() == 1 && name.starts_with('@')) {
            Some((tag, of)) => tagged(tag, of)?,
            None => Value::Context(Arc::new(plain(object)?)),
        },
    })
}

/// A context from its JSON.
pub(super) fn read_entries(json: &Json) -> Result<Context, Unwritten> {
    match read(json)? {
        Value::Context(context) => Ok((*context).clone()),
        _ => Err(Unwritten("inputs".to_owned())),
    }
}

fn plain(object: &Map<String, Json>) -> Result<Context, Unwritten> {
    object.iter().map(|(name, of)| Ok((Arc::from(name.as_str()), read(of)?))).collect()
}

fn tagged(tag: &str, of: &Json) -> Result<Value, Unwritten> {
    let wrong = || Unwritten(tag.to_owned());
    match (tag, of) {
        ("@number", Json::String(text)) => text.parse().map(Value::Number).map_err(|_| wrong()),
        ("@date" | "@time" | "@date and time" | "@duration", Json::String(text)) => temporal::literal(text).ok_or_else(wrong),
        ("@context", Json::Array(entries)) => {
            let entry = |entry: &Json| -> Result<(Arc<str>, Value), Unwritten> {
                Ok((Arc::from(entry[0].as_str().ok_or_else(wrong)?), read(&entry[1])?))
            };
            entries.iter().map(entry).collect::<Result<Context, _>>().map(|context| Value::Context(Arc::new(context)))
        }
        ("@range", range) => {
            let mark = |name: &str| range[name].as_bool().ok_or_else(wrong);
            Ok(Value::Range(Arc::new(Range {
                start: read(&range["start"])?,
                end: read(&range["end"])?,
                start_included: mark("start_included")?,
                end_included: mark("end_included")?,
                outside: mark("outside")?,
                compared: mark("compared")?,
            })))
        }
        _ => Err(wrong()),
    }
}
