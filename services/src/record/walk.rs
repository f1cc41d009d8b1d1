//! A walk over all values of a message, however nested: what a visitor sees of each is its value and its treatment.

use std::collections::HashMap;

use prost::Message as _;
use prost_reflect::{DynamicMessage, Kind, MapKey, ReflectMessage as _, Value};

use super::personal::{Treatment, treatment, treatment_of_extension};

const ANY: &str = "google.protobuf.Any";
const TIMESTAMP: &str = "google.protobuf.Timestamp";
const DURATION: &str = "google.protobuf.Duration";
const FIELD_MASK: &str = "google.protobuf.FieldMask";

/// Who looks at the values, and may change them.
pub(super) trait Visitor {
    /// A scalar, an enum value or bytes. Unpersonal where there is no treatment.
    fn value(&mut self, value: &mut Value, kind: &Kind, treatment: Option<Treatment>);
    /// A key of a map.
    fn key(&mut self, key: &mut MapKey, treatment: Option<Treatment>);
    /// The seconds of a personal timestamp or duration, in place.
    fn moment(&mut self, seconds: &mut i64, treatment: Treatment);
}

/// Walks over a message; fields that its type does not know are dropped on the way. False if the message itself must go: an `Any` that
/// nobody here can read, or that is personal.
pub(super) fn walk(message: &mut DynamicMessage, inherited: Option<Treatment>, visitor: &mut dyn Visitor) -> bool {
    message.take_unknown_fields().for_each(drop);
    match (message.descriptor().full_name(), inherited) {
        (ANY, None) => return walk_any(message, visitor).is_some(),
        (ANY, Some(_)) => return false,
        (TIMESTAMP | DURATION, Some(treatment)) => moment(message, treatment, visitor),
        (FIELD_MASK, Some(_)) => message.clear_field_by_number(1),
        _ => fields(message, inherited, visitor),
    }
    true
}

fn fields(message: &mut DynamicMessage, inherited: Option<Treatment>, visitor: &mut dyn Visitor) {
    let mut gone = Vec::new();
    for (field, value) in message.fields_mut() {
        let treatment = inherited.or_else(|| treatment(&field));
        if !walk_value(value, &field.kind(), treatment, visitor) {
            gone.push(field);
        }
    }
    gone.iter().for_each(|field| message.clear_field(field));
    let mut gone = Vec::new();
    for (extension, value) in message.extensions_mut() {
        let treatment = inherited.or_else(|| treatment_of_extension(&extension));
        if !walk_value(value, &extension.kind(), treatment, visitor) {
            gone.push(extension);
        }
    }
    gone.iter().for_each(|extension| message.clear_extension(extension));
}

/// False if the value must go.
fn walk_value(value: &mut Value, kind: &Kind, treatment: Option<Treatment>, visitor: &mut dyn Visitor) -> bool {
    match value {
        Value::Message(message) => return walk(message, treatment, visitor),
        Value::List(list) => list.retain_mut(|value| walk_value(value, kind, treatment, visitor)),
        Value::Map(map) => {
            let Kind::Message(entry) = kind else { return false };
            let kind = entry.map_entry_value_field().kind();
            // Options may also stand on nothing but the map's field, so its entries have its treatment.
            let mut walked = HashMap::with_capacity(map.len());
            for (mut key, mut value) in map.drain() {
                visitor.key(&mut key, treatment);
                if walk_value(&mut value, &kind, treatment, visitor) {
                    walked.insert(key, value);
                }
            }
            *map = walked;
        }
        value => visitor.value(value, kind, treatment),
    }
    true
}

/// Nothing if its type is not known, or it is no message of that type.
fn walk_any(any: &mut DynamicMessage, visitor: &mut dyn Visitor) -> Option<()> {
    let url = any.get_field_by_number(1)?.as_str()?.to_owned();
    let descriptor = any.descriptor().parent_pool().get_message_by_name(url.rsplit('/').next()?)?;
    let bytes = any.get_field_by_number(2)?.as_bytes()?.clone();
    let mut inner = DynamicMessage::decode(descriptor, bytes).ok()?;
    if !walk(&mut inner, None, visitor) {
        return None;
    }
    any.set_field_by_number(2, Value::Bytes(inner.encode_to_vec().into()));
    Some(())
}

fn moment(message: &mut DynamicMessage, treatment: Treatment, visitor: &mut dyn Visitor) {
    let mut seconds = message.get_field_by_number(1).and_then(|value| value.as_i64()).unwrap_or_default();
    visitor.moment(&mut seconds, treatment);
    message.set_field_by_number(1, Value::I64(seconds));
    message.clear_field_by_number(2);
}
