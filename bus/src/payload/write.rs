//! From a value to a message.

use std::collections::HashMap;

use passerelle_feel::{Context, Value};
use prost_reflect::{Cardinality, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value as Field};

use super::error::{PayloadError, Rule};
use super::{scalar, well_known};

/// The message of a value. An entry that is null leaves its field absent.
///
/// # Errors
/// What the first field that does not fit cannot take: its path and the rule.
pub fn from_value(value: &Value, message: &MessageDescriptor) -> Result<DynamicMessage, PayloadError> {
    if let Some(single) = well_known::single(message) {
        return well_known::write(single, value, message);
    }
    match value {
        Value::Context(context) => fields(context, message),
        other => Err(wrong("context", other).into()),
    }
}

pub(super) fn wrong(wanted: &'static str, found: &Value) -> Rule {
    Rule::WrongType { wanted, found: found.type_name() }
}

/// A message of these fields, whatever it stands for.
pub(super) fn fields(context: &Context, message: &MessageDescriptor) -> Result<DynamicMessage, PayloadError> {
    let mut written = DynamicMessage::new(message.clone());
    for (name, value) in context.iter() {
        let field = message.get_field_by_name(name).ok_or_else(|| unknown_field(message))?;
        if value.is_null() {
            continue;
        }
        if let Some(oneof) = field.containing_oneof()
            && oneof.fields().any(|other| written.has_field(&other))
        {
            return Err(PayloadError::from(Rule::SecondOfOneof(oneof.name().to_owned())).within(field.name()));
        }
        let value = of_field(&field, value).map_err(|error| error.within(field.name()))?;
        // What is not on the wire is not in the message either.
        if field.supports_presence() || !value.is_default_for_field(&field) {
            written.set_field(&field, value);
        }
    }
    for field in message.fields().filter(|field| field.cardinality() == Cardinality::Required) {
        if !written.has_field(&field) {
            return Err(PayloadError::from(Rule::Missing).within(field.name()));
        }
    }
    Ok(written)
}

fn unknown_field(message: &MessageDescriptor) -> Rule {
    let known = message.fields().map(|field| field.name().to_owned()).collect::<Vec<_>>().join(", ");
    Rule::UnknownField { message: message.full_name().to_owned(), known }
}

fn of_field(field: &FieldDescriptor, value: &Value) -> Result<Field, PayloadError> {
    match (field.kind(), value) {
        (Kind::Message(entry), Value::Context(context)) if field.is_map() => {
            let (key, kind) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
            let written = context.iter().map(|(name, value)| {
                let written = map_key(&key, name).map_err(PayloadError::from).and_then(|key| Ok((key, one(&kind, value)?)));
                written.map_err(|error| error.within("*"))
            });
            Ok(Field::Map(written.collect::<Result<HashMap<MapKey, Field>, PayloadError>>()?))
        }
        (_, other) if field.is_map() => Err(wrong("context", other).into()),
        (kind, Value::List(items)) if field.is_list() => {
            let item = |(index, item)| one(&kind, item).map_err(|error| error.within(format!("[{index}]")));
            Ok(Field::List(items.iter().enumerate().map(item).collect::<Result<_, _>>()?))
        }
        (_, other) if field.is_list() => Err(wrong("list", other).into()),
        (kind, value) => one(&kind, value),
    }
}

/// One value of a kind.
pub(super) fn one(kind: &Kind, value: &Value) -> Result<Field, PayloadError> {
    Ok(match (kind, value) {
        (Kind::Bool, Value::Boolean(value)) => Field::Bool(*value),
        (Kind::Bool, other) => return Err(wrong("boolean", other).into()),
        (Kind::String, Value::Text(value)) => Field::String(value.to_string()),
        (Kind::String, other) => return Err(wrong("string", other).into()),
        (Kind::Int32 | Kind::Sint32 | Kind::Sfixed32, value) => Field::I32(scalar::whole(value, "an integer of 32 bits")?),
        (Kind::Int64 | Kind::Sint64 | Kind::Sfixed64, value) => Field::I64(scalar::whole(value, "an integer of 64 bits")?),
        (Kind::Uint32 | Kind::Fixed32, value) => Field::U32(scalar::whole(value, "an integer of 32 bits without a sign")?),
        (Kind::Uint64 | Kind::Fixed64, value) => Field::U64(scalar::whole(value, "an integer of 64 bits without a sign")?),
        (Kind::Float, value) => Field::F32(scalar::as_float(value)?),
        (Kind::Double, value) => Field::F64(scalar::as_double(value)?),
        (Kind::Bytes, value) => Field::Bytes(scalar::as_bytes(value)?.into()),
        (Kind::Enum(names), value) => Field::EnumNumber(scalar::as_enumeration(names, value)?),
        (Kind::Message(message), value) => Field::Message(from_value(value, message)?),
    })
}

fn map_key(kind: &Kind, text: &str) -> Result<MapKey, Rule> {
    let key = match kind {
        Kind::Bool => text.parse().ok().map(MapKey::Bool),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => text.parse().ok().map(MapKey::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => text.parse().ok().map(MapKey::I64),
        Kind::Uint32 | Kind::Fixed32 => text.parse().ok().map(MapKey::U32),
        Kind::Uint64 | Kind::Fixed64 => text.parse().ok().map(MapKey::U64),
        _ => Some(MapKey::String(text.to_owned())),
    };
    key.ok_or(Rule::Unfit("a key of the map is not of its type"))
}
