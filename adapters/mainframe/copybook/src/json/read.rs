//! From JSON to protobuf bytes.

use serde_json::{Map, Value};

use super::{JsonError, base64};
use crate::layout::list;
use crate::message::{Field, Kind, Message, names};
use crate::wire::{LENGTH, put_length_before, put_varint, zigzag};

/// The protobuf bytes of a message's JSON. `null` is as good as nothing.
pub(crate) fn to_wire(message: &Message, value: &Value) -> Result<Vec<u8>, JsonError> {
    let mut out = Vec::new();
    put_message(message, value, &message.name, &mut out)?;
    Ok(out)
}

fn put_message(message: &Message, value: &Value, path: &str, out: &mut Vec<u8>) -> Result<(), JsonError> {
    let Value::Object(object) = value else { return Err(JsonError::new(path, "the JSON must be an object here")) };
    known(message, object, path)?;
    let mut oneofs = vec![false; message.oneofs.len()];
    for field in &message.fields {
        let value = object.get(&names::json(&field.name)).or_else(|| object.get(&field.name));
        let Some(value) = value.filter(|value| !value.is_null()) else { continue };
        if let Some(taken) = field.oneof.and_then(|oneof| oneofs.get_mut(oneof)) {
            if *taken {
                return Err(JsonError::new(&field.path, "another field of the same oneof is there already"));
            }
            *taken = true;
        }
        if !field.repeated {
            put_field(field, value, out)?;
            continue;
        }
        let Value::Array(values) = value else { return Err(JsonError::new(&field.path, "the JSON must be an array here")) };
        for value in values {
            put_field(field, value, out)?;
        }
    }
    Ok(())
}

/// Every name must be a field's.
fn known(message: &Message, object: &Map<String, Value>, path: &str) -> Result<(), JsonError> {
    for name in object.keys() {
        if !message.fields.iter().any(|field| field.name == *name || names::json(&field.name) == *name) {
            let names = list(message.fields.iter().map(|field| field.name.as_str()));
            return Err(JsonError::new(path, format!("no field is called `{name}` (there are: {names})")));
        }
    }
    Ok(())
}

fn put_field(field: &Field, value: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
    if let Some(varint) = varint(field, value)? {
        put_varint(out, u64::from(field.number) << 3);
        put_varint(out, varint);
        return Ok(());
    }
    put_varint(out, u64::from(field.number) << 3 | u64::from(LENGTH));
    out.push(0);
    let mark = out.len();
    match (&field.kind, value) {
        (Kind::Message(message), value) => put_message(message, value, &field.path, out)?,
        (Kind::Bytes, Value::String(text)) => {
            let bytes = base64::decode(text).ok_or_else(|| JsonError::new(&field.path, "the JSON must be base64 here"))?;
            out.extend_from_slice(&bytes);
        }
        (_, Value::String(text)) => out.extend_from_slice(text.as_bytes()),
        _ => return Err(JsonError::new(&field.path, "the JSON must be a string here")),
    }
    put_length_before(out, mark);
    Ok(())
}

/// The value of a number or enum; none for other fields.
fn varint(field: &Field, value: &Value) -> Result<Option<u64>, JsonError> {
    let wrong = |rule: &str| JsonError::new(&field.path, rule);
    match &field.kind {
        Kind::Integer { signed: true, .. } => {
            whole(value, Value::as_i64).map(zigzag).map(Some).ok_or_else(|| wrong("the JSON must be a whole number here"))
        }
        Kind::Integer { signed: false, .. } => {
            whole(value, Value::as_u64).map(Some).ok_or_else(|| wrong("the JSON must be a whole number from 0 here"))
        }
        Kind::Enum(model) => {
            let named = value.as_str().and_then(|name| model.values.iter().find(|value| value.name == name));
            let number = named.map(|value| u64::from(value.number)).or_else(|| value.as_u64());
            let names = || list(model.values.iter().map(|value| value.name.as_str()));
            number.map(Some).ok_or_else(|| wrong(&format!("no value of this enum (there are: {})", names())))
        }
        _ => Ok(None),
    }
}

/// A number, or a number in a string.
fn whole<T: std::str::FromStr>(value: &Value, number: fn(&Value) -> Option<T>) -> Option<T> {
    number(value).or_else(|| value.as_str()?.parse().ok())
}
