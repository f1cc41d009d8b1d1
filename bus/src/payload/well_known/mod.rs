//! Messages that stand for something of FEEL's own: Google's well-known types.

mod calendar;
mod json;
mod quantity;

use passerelle_feel::{Context, Value};
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage as _, Value as Field};
use std::sync::Arc;

use super::error::{PayloadError, Rule};
use super::{read as reading, scalar, write as writing};

/// Types of messages that are not the context of their fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Single {
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// `google.protobuf.Duration`
    Duration,
    /// `google.protobuf.Int32Value` and its like.
    Wrapper,
    /// `google.protobuf.Struct`
    Struct,
    /// `google.protobuf.Value`
    Value,
    /// `google.protobuf.ListValue`
    ListValue,
    /// `google.protobuf.Any`
    Any,
    /// `google.type.Date`
    Date,
    /// `google.type.TimeOfDay`
    TimeOfDay,
    /// `google.type.DateTime`
    DateTime,
    /// `google.type.Money`
    Money,
    /// `google.type.Decimal`
    Decimal,
    /// `google.type.Interval`
    Interval,
}

/// What a message stands for, if not for the context of its fields.
#[must_use]
pub fn single(message: &MessageDescriptor) -> Option<Single> {
    let name = message.full_name();
    if let Some(name) = name.strip_prefix("google.protobuf.") {
        return Some(match name {
            "Timestamp" => Single::Timestamp,
            "Duration" => Single::Duration,
            "Struct" => Single::Struct,
            "Value" => Single::Value,
            "ListValue" => Single::ListValue,
            "Any" => Single::Any,
            "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value" | "BoolValue"
            | "StringValue" | "BytesValue" => Single::Wrapper,
            _ => return None,
        });
    }
    Some(match name.strip_prefix("google.type.")? {
        "Date" => Single::Date,
        "TimeOfDay" => Single::TimeOfDay,
        "DateTime" => Single::DateTime,
        "Money" => Single::Money,
        "Decimal" => Single::Decimal,
        "Interval" => Single::Interval,
        _ => return None,
    })
}

/// What the message stands for.
pub(super) fn read(single: Single, message: &DynamicMessage) -> Result<Value, PayloadError> {
    Ok(match single {
        Single::Timestamp => calendar::moment(whole(message, "seconds"), whole(message, "nanos"))?,
        Single::Duration => calendar::duration(whole(message, "seconds"), whole(message, "nanos"))?,
        Single::Wrapper => match reading::fields(message)? {
            Value::Context(fields) => fields.get("value").cloned().unwrap_or(Value::Null),
            other => other,
        },
        Single::Struct | Single::Value | Single::ListValue => json::read(message)?,
        Single::Any => read_any(message)?,
        Single::Date | Single::TimeOfDay | Single::DateTime => match calendar::of_parts(single, message) {
            Some(value) => value,
            // A year without a day, or an hour 24: only its parts are all of it.
            None => reading::fields(message)?,
        },
        Single::Money => quantity::money(message)?,
        Single::Decimal => quantity::decimal(message)?,
        Single::Interval => quantity::interval(message)?,
    })
}

/// The message that stands for a value.
pub(super) fn write(single: Single, value: &Value, message: &MessageDescriptor) -> Result<DynamicMessage, PayloadError> {
    let parts = matches!(single, Single::Date | Single::TimeOfDay | Single::DateTime);
    if let (true, Value::Context(context)) = (parts, value) {
        return writing::fields(context, message);
    }
    match single {
        Single::Timestamp => calendar::write_moment(value, message),
        Single::Duration => calendar::write_duration(value, message),
        Single::Wrapper => {
            let field = field(message, "value")?;
            let value = writing::one(&field.kind(), value)?;
            build(message, vec![("value", value)])
        }
        Single::Struct | Single::Value | Single::ListValue => json::write(value, message),
        Single::Any => write_any(value, message),
        Single::Date | Single::TimeOfDay | Single::DateTime => calendar::write_parts(single, value, message),
        Single::Money => quantity::write_money(value, message),
        Single::Decimal => quantity::write_decimal(value, message),
        Single::Interval => quantity::write_interval(value, message),
    }
}

/// The name of an entry that says of which type an `Any` is.
const TYPE: &str = "@type";
/// The entry of what is in an `Any` where that is no context.
const VALUE: &str = "value";

fn read_any(message: &DynamicMessage) -> Result<Value, PayloadError> {
    let url = text(message, "type_url");
    let bytes = message.get_field_by_name("value").and_then(|value| value.as_bytes().cloned()).unwrap_or_default();
    let mut context = Context::default();
    context.set(TYPE.into(), Value::text(url.as_str()));
    let Some(inner) = named_by(&url, message.descriptor()) else {
        context.set(VALUE.into(), scalar::bytes(&bytes));
        return Ok(Value::Context(Arc::new(context)));
    };
    let inner = DynamicMessage::decode(inner, bytes).map_err(|_| Rule::Unfit("the message in this Any cannot be read"))?;
    match (single(&inner.descriptor()), reading::to_value(&inner)?) {
        (None, Value::Context(fields)) => fields.iter().for_each(|(name, value)| context.set(name.clone(), value.clone())),
        (_, value) => context.set(VALUE.into(), value),
    }
    Ok(Value::Context(Arc::new(context)))
}

fn write_any(value: &Value, message: &MessageDescriptor) -> Result<DynamicMessage, PayloadError> {
    let Value::Context(context) = value else { return Err(writing::wrong("context", value).into()) };
    let url = match context.get(TYPE) {
        Some(Value::Text(url)) => url.clone(),
        _ => return Err(Rule::Unfit("an Any is a context with an entry `@type`: \"type.googleapis.com/package.Message\"").into()),
    };
    let inside = || context.get(VALUE).ok_or(Rule::Unfit("this Any has no entry `value`"));
    let bytes = match named_by(&url, message.clone()) {
        None => scalar::as_bytes(inside()?)?,
        Some(inner) => {
            let written = match single(&inner) {
                Some(_) => writing::from_value(inside()?, &inner)?,
                None => {
                    let fields: Context = context.iter().filter(|(name, _)| &**name != TYPE).cloned().collect();
                    writing::fields(&fields, &inner)?
                }
            };
            prost::Message::encode_to_vec(&written)
        }
    };
    build(message, vec![("type_url", Field::String(url.to_string())), ("value", Field::Bytes(bytes.into()))])
}

/// The type that the end of the URL names, where the contract has it.
fn named_by(url: &str, any: MessageDescriptor) -> Option<MessageDescriptor> {
    any.parent_pool().get_message_by_name(url.rsplit('/').next().unwrap_or(url))
}

/// An integer in a field, 0 where there is none.
fn whole(message: &DynamicMessage, name: &str) -> i64 {
    match message.get_field_by_name(name).as_deref() {
        Some(Field::I32(value)) => (*value).into(),
        Some(Field::I64(value)) => *value,
        _ => 0,
    }
}

fn text(message: &DynamicMessage, name: &str) -> String {
    message.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn field(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, Rule> {
    message.get_field_by_name(name).ok_or(Rule::Unfit("the contract has another type under a well-known name"))
}

/// A message of these fields; a type of another shape under a well-known name is refused.
fn build(message: &MessageDescriptor, fields: Vec<(&str, Field)>) -> Result<DynamicMessage, PayloadError> {
    let mut built = DynamicMessage::new(message.clone());
    for (name, value) in fields {
        let field = field(message, name)?;
        if !field.supports_presence() && value.is_default_for_field(&field) {
            continue;
        }
        let set = built.try_set_field(&field, value);
        set.map_err(|_| Rule::Unfit("the contract has another type under a well-known name"))?;
    }
    Ok(built)
}
