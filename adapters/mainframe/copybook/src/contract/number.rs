//! Numbering: every field and enum value of a message gets its number from the lock.

use std::collections::BTreeSet;

use super::lock::{Lock, LockError};
use crate::message::{EnumModel, Field, Kind, Message};

/// Numbers a message and all in it; `key` is the message's in the lock, `root` that of the outermost message.
pub(super) fn number(lock: &mut Lock, message: &mut Message, key: &str, root: &str) -> Result<(), LockError> {
    let numbers = lock.messages.entry(key.to_owned()).or_default();
    // Fields that are no more first: a new field never takes their numbers, whatever order they come in.
    numbers.retain(&message.fields.iter().map(|field| field.path.as_str()).collect());
    for field in &mut message.fields {
        field.number = numbers.give(&field.path, &field.name, &wire_type(field))?;
    }
    for field in &mut message.fields {
        let key = format!("{root}/{}", field.path);
        match &mut field.kind {
            Kind::Message(inner) => number(lock, inner, &key, root)?,
            Kind::Enum(model) => number_values(lock, model, key)?,
            _ => {}
        }
    }
    Ok(())
}

fn number_values(lock: &mut Lock, model: &mut EnumModel, key: String) -> Result<(), LockError> {
    let numbers = lock.enums.entry(key).or_default();
    let present: BTreeSet<&str> = model.values.iter().map(|value| value.condition.as_str()).collect();
    numbers.retain(&present);
    for value in &mut model.values {
        value.number = numbers.give(&value.condition, &value.name, "")?;
    }
    Ok(())
}

/// What a reader of the old contract would take the number for. Names of messages and enums are not on the wire.
fn wire_type(field: &Field) -> String {
    let name = match &field.kind {
        Kind::Message(_) => "message",
        Kind::Enum(_) => "enum",
        other => other.type_name(),
    };
    if field.repeated { format!("repeated {name}") } else { name.to_owned() }
}
