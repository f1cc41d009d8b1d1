//! Struct, Value and ListValue: whatever JSON can say.

use std::collections::HashMap;
use std::sync::Arc;

use passerelle_feel::{Context, Value};
use prost_reflect::{DynamicMessage, MapKey, MessageDescriptor, ReflectMessage as _, Value as Field};

use super::super::error::{PayloadError, Rule};
use super::super::{scalar, write as writing};
use super::{Single, build, single};

/// The type in a field of a message.
fn type_in(message: &MessageDescriptor, name: &str) -> Result<MessageDescriptor, Rule> {
    let strange = Rule::Unfit("the contract has another type under a well-known name");
    super::field(message, name)?.kind().as_message().cloned().ok_or(strange)
}

pub(super) fn read(message: &DynamicMessage) -> Result<Value, PayloadError> {
    let inner = |value: &Field| value.as_message().map_or(Ok(Value::Null), read);
    match single(&message.descriptor()) {
        Some(Single::Struct) => {
            let fields = message.get_field_by_name("fields");
            let mut entries: Vec<(&str, &Field)> = fields
                .iter()
                .filter_map(|fields| fields.as_map())
                .flatten()
                .filter_map(|(key, value)| Some((key.as_str()?, value)))
                .collect();
            entries.sort_by_key(|(key, _)| *key);
            let entry = |(key, value)| Ok((Arc::from(key), inner(value).map_err(|error: PayloadError| error.within("*"))?));
            let context: Result<Context, PayloadError> = entries.into_iter().map(entry).collect();
            Ok(Value::Context(Arc::new(context?)))
        }
        Some(Single::ListValue) => {
            let values = message.get_field_by_name("values");
            let items = values.iter().filter_map(|values| values.as_list()).flatten().enumerate();
            let item = |(index, item)| inner(item).map_err(|error| error.within(format!("[{index}]")));
            Ok(Value::list(items.map(item).collect::<Result<_, _>>()?))
        }
        _ => match message.fields().next() {
            Some((_, Field::F64(value))) if value.is_finite() => Ok(scalar::double(*value)),
            Some((_, Field::F64(_))) => Err(Rule::Unfit("a number of JSON is finite").into()),
            Some((_, Field::String(value))) => Ok(Value::text(value.as_str())),
            Some((_, Field::Bool(value))) => Ok(Value::Boolean(*value)),
            Some((_, Field::Message(inner))) => read(inner),
            _ => Ok(Value::Null),
        },
    }
}

pub(super) fn write(value: &Value, message: &MessageDescriptor) -> Result<DynamicMessage, PayloadError> {
    match (single(message), value) {
        (Some(Single::Struct), Value::Context(context)) => {
            let inner = type_in(&type_in(message, "fields")?, "value")?;
            let entry = |(key, value): &(Arc<str>, Value)| {
                let written = write(value, &inner).map_err(|error| error.within("*"))?;
                Ok((MapKey::String(key.to_string()), Field::Message(written)))
            };
            let entries: Result<HashMap<_, _>, PayloadError> = context.iter().map(entry).collect();
            build(message, vec![("fields", Field::Map(entries?))])
        }
        (Some(Single::Struct), other) => Err(writing::wrong("context", other).into()),
        (Some(Single::ListValue), Value::List(items)) => {
            let inner = type_in(message, "values")?;
            let item = |(index, item)| {
                write(item, &inner).map(Field::Message).map_err(|error: PayloadError| error.within(format!("[{index}]")))
            };
            let items: Result<Vec<Field>, PayloadError> = items.iter().enumerate().map(item).collect();
            build(message, vec![("values", Field::List(items?))])
        }
        (Some(Single::ListValue), other) => Err(writing::wrong("list", other).into()),
        (_, value) => {
            let written = match value {
                Value::Null => ("null_value", Field::EnumNumber(0)),
                Value::Boolean(value) => ("bool_value", Field::Bool(*value)),
                Value::Number(_) => ("number_value", Field::F64(scalar::as_double(value)?)),
                Value::List(_) => ("list_value", Field::Message(write(value, &type_in(message, "list_value")?)?)),
                Value::Context(_) => ("struct_value", Field::Message(write(value, &type_in(message, "struct_value")?)?)),
                Value::Function(_) => return Err(writing::wrong("value", value).into()),
                // Dates and durations are texts in JSON.
                other => ("string_value", Field::String(other.to_string())),
            };
            build(message, vec![written])
        }
    }
}
