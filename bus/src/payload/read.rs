//! From a message to a value.

use std::sync::Arc;

use passerelle_feel::{Context, Value};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage as _, Value as Field};

use super::error::{PayloadError, Rule};
use super::{scalar, well_known};

/// The value of a message.
///
/// # Errors
/// A well-known type that is not what it has to be (a timestamp beyond the calendar): the field's path and the rule.
pub fn to_value(message: &DynamicMessage) -> Result<Value, PayloadError> {
    if let Some(single) = well_known::single(&message.descriptor()) {
        return well_known::read(single, message);
    }
    fields(message)
}

/// The context of a message's fields, whatever it stands for.
pub(super) fn fields(message: &DynamicMessage) -> Result<Value, PayloadError> {
    let entry = |field: FieldDescriptor| {
        let value = if field.supports_presence() && !message.has_field(&field) {
            Value::Null
        } else {
            of_field(&field, &message.get_field(&field)).map_err(|error| error.within(field.name()))?
        };
        Ok((Arc::from(field.name()), value))
    };
    let context: Result<Context, PayloadError> = message.descriptor().fields().map(entry).collect();
    Ok(Value::Context(Arc::new(context?)))
}

fn of_field(field: &FieldDescriptor, value: &Field) -> Result<Value, PayloadError> {
    match value {
        Field::List(items) => {
            let item = |(index, item)| one(&field.kind(), item).map_err(|error| error.within(format!("[{index}]")));
            Ok(Value::list(items.iter().enumerate().map(item).collect::<Result<_, _>>()?))
        }
        Field::Map(entries) => {
            let Kind::Message(entry) = field.kind() else { return Err(Rule::Unfit("a map without entries").into()) };
            let kind = entry.map_entry_value_field().kind();
            let mut entries: Vec<(&MapKey, &Field)> = entries.iter().collect();
            entries.sort_by(|(one, _), (other, _)| key_order(one, other));
            let read = |(key, value)| Ok((key_text(key), one(&kind, value).map_err(|error: PayloadError| error.within("*"))?));
            let context: Result<Context, PayloadError> = entries.into_iter().map(read).collect();
            Ok(Value::Context(Arc::new(context?)))
        }
        value => one(&field.kind(), value),
    }
}

fn one(kind: &Kind, value: &Field) -> Result<Value, PayloadError> {
    Ok(match (kind, value) {
        (_, Field::Bool(value)) => Value::Boolean(*value),
        (_, Field::I32(value)) => scalar::signed((*value).into()),
        (_, Field::I64(value)) => scalar::signed(*value),
        (_, Field::U32(value)) => scalar::unsigned((*value).into()),
        (_, Field::U64(value)) => scalar::unsigned(*value),
        (_, Field::F32(value)) => scalar::float(*value),
        (_, Field::F64(value)) => scalar::double(*value),
        (_, Field::String(value)) => Value::text(value.as_str()),
        (_, Field::Bytes(value)) => scalar::bytes(value),
        (Kind::Enum(names), Field::EnumNumber(value)) => scalar::enumeration(names, *value),
        (_, Field::Message(message)) => to_value(message)?,
        (_, Field::EnumNumber(_) | Field::List(_) | Field::Map(_)) => {
            return Err(Rule::Unfit("the message does not fit its descriptor").into());
        }
    })
}

/// By value, and texts by their bytes: a message always gives the same context.
fn key_order(one: &MapKey, other: &MapKey) -> std::cmp::Ordering {
    let number = |key: &MapKey| match key {
        MapKey::Bool(value) => i128::from(*value),
        MapKey::I32(value) => i128::from(*value),
        MapKey::I64(value) => i128::from(*value),
        MapKey::U32(value) => i128::from(*value),
        MapKey::U64(value) => i128::from(*value),
        MapKey::String(_) => 0,
    };
    match (one, other) {
        (MapKey::String(one), MapKey::String(other)) => one.cmp(other),
        _ => number(one).cmp(&number(other)),
    }
}

fn key_text(key: &MapKey) -> Arc<str> {
    match key {
        MapKey::Bool(value) => value.to_string().into(),
        MapKey::I32(value) => value.to_string().into(),
        MapKey::I64(value) => value.to_string().into(),
        MapKey::U32(value) => value.to_string().into(),
        MapKey::U64(value) => value.to_string().into(),
        MapKey::String(value) => value.as_str().into(),
    }
}
