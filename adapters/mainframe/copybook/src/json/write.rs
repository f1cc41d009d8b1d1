//! From protobuf bytes to JSON.

use serde_json::{Map, Value};

use super::{JsonError, base64};
use crate::message::{Field, Kind, Message, names};
use crate::wire::{LENGTH, Reader, unzigzag};

/// The JSON of a message's bytes. Fields that are not in the bytes are not in the JSON.
pub(crate) fn from_wire(message: &Message, bytes: &[u8]) -> Result<Value, JsonError> {
    let mut object = Map::new();
    let mut reader = Reader { bytes, at: 0, end: bytes.len() };
    while !reader.is_at_end() {
        let malformed = |rule: &str| JsonError::new(&message.name, format!("not a protobuf message: {rule}"));
        let (number, wire) = reader.tag().map_err(malformed)?;
        let Some(field) = message.fields.iter().find(|field| field.number == number) else {
            reader.pass(number, wire).map_err(malformed)?;
            continue;
        };
        let is_number = matches!(field.kind, Kind::Integer { .. } | Kind::Enum(_));
        if is_number && wire == LENGTH {
            let (start, end) = reader.delimited().map_err(malformed)?;
            let mut packed = Reader { bytes, at: start, end };
            while !packed.is_at_end() {
                let value = integer(field, packed.varint().map_err(malformed)?);
                put(&mut object, field, value);
            }
        } else if is_number {
            let value = integer(field, reader.varint().map_err(malformed)?);
            put(&mut object, field, value);
        } else {
            let (start, end) = reader.delimited().map_err(malformed)?;
            let value = delimited(field, &bytes[start..end])?;
            put(&mut object, field, value);
        }
    }
    Ok(Value::Object(object))
}

fn put(object: &mut Map<String, Value>, field: &Field, value: Value) {
    let name = names::json(&field.name);
    if !field.repeated {
        object.insert(name, value);
        return;
    }
    if let Value::Array(values) = object.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
        values.push(value);
    }
}

fn integer(field: &Field, varint: u64) -> Value {
    match &field.kind {
        Kind::Enum(model) => {
            let named = model.values.iter().find(|value| u64::from(value.number) == varint);
            named.map_or_else(|| Value::from(varint), |value| Value::from(value.name.as_str()))
        }
        Kind::Integer { wide: false, signed: true } => Value::from(unzigzag(varint)),
        Kind::Integer { wide: false, signed: false } => Value::from(varint),
        Kind::Integer { wide: true, signed: true } => Value::from(unzigzag(varint).to_string()),
        _ => Value::from(varint.to_string()),
    }
}

fn delimited(field: &Field, bytes: &[u8]) -> Result<Value, JsonError> {
    match &field.kind {
        Kind::Message(message) => from_wire(message, bytes),
        Kind::Bytes => Ok(Value::from(base64::encode(bytes))),
        _ => std::str::from_utf8(bytes).map(Value::from).map_err(|_| JsonError::new(&field.path, "text that is not UTF-8")),
    }
}
