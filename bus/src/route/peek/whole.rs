//! Messages that are taken whole: contexts of all their fields, and the well-known types as the values that they stand for.

use std::sync::{Arc, OnceLock};

use passerelle_feel::temporal::{DateTime, Zone, date};
use passerelle_feel::{Context, Number, Value};
use prost::Message as _;
use prost_reflect::{Kind, MessageDescriptor};
use prost_types::value::Kind as Json;

use super::plan::{FieldPath, Level};
use super::wire::{Raw, Reader};
use super::{Budget, Malformed, PeekError, scalar};

/// A type of messages that are taken whole. Its plan is made when the first one comes: types may contain themselves.
#[derive(Debug)]
pub(super) struct Whole {
    message: MessageDescriptor,
    level: OnceLock<Box<Level>>,
}

/// Whether messages of a type stand for one value.
pub(super) fn is_single(message: &MessageDescriptor) -> bool {
    matches!(
        message.full_name(),
        "google.protobuf.Timestamp"
            | "google.protobuf.Duration"
            | "google.protobuf.Struct"
            | "google.protobuf.Value"
            | "google.protobuf.ListValue"
            | "google.type.Date"
            | "google.type.Decimal"
    ) || is_wrapper(message)
}

fn is_wrapper(message: &MessageDescriptor) -> bool {
    matches!(
        message.full_name().strip_prefix("google.protobuf."),
        Some(
            "DoubleValue"
                | "FloatValue"
                | "Int64Value"
                | "UInt64Value"
                | "Int32Value"
                | "UInt32Value"
                | "BoolValue"
                | "StringValue"
                | "BytesValue"
        )
    )
}

impl Whole {
    pub(super) fn of(message: MessageDescriptor) -> Self {
        Self { message, level: OnceLock::new() }
    }

    /// The value of a message, of one or several pieces.
    pub(super) fn value(&self, pieces: &[Reader<'_>], depth: usize, budget: &mut Budget) -> Result<Value, PeekError> {
        budget.take()?;
        if is_single(&self.message) && !is_wrapper(&self.message) {
            return self.single(&pieces.iter().map(Reader::rest).collect::<Vec<_>>().concat(), budget);
        }
        let values = self.fields(pieces, depth, budget)?;
        if is_wrapper(&self.message) {
            return Ok(values.into_iter().next().unwrap_or(Value::Null));
        }
        let names = self.message.fields().map(|field| Arc::from(field.name()));
        Ok(Value::Context(Arc::new(names.zip(values).collect::<Context>())))
    }

    /// Key and value of a map's entry.
    pub(super) fn entry(&self, entry: Reader<'_>, depth: usize, budget: &mut Budget) -> Result<(Arc<str>, Value), PeekError> {
        budget.take()?;
        let mut values = self.fields(&[entry], depth, budget)?.into_iter();
        // An entry's parts are always there: what is missing has its type's default.
        let mut part = |number: u32| {
            let value = values.next().unwrap_or(Value::Null);
            match (&value, self.message.get_field(number)) {
                (Value::Null, Some(field)) => scalar::default_of(&field.kind()),
                _ => value,
            }
        };
        let key = match part(1) {
            Value::Text(key) => key,
            other => other.to_string().into(),
        };
        Ok((key, part(2)))
    }

    fn fields(&self, pieces: &[Reader<'_>], depth: usize, budget: &mut Budget) -> Result<Vec<Value>, PeekError> {
        let Some(depth) = depth.checked_sub(1) else {
            let offset = pieces.first().map_or(0, Reader::offset);
            return Err(Malformed { offset, what: "messages are nested too deeply" }.into());
        };
        let count = self.message.fields().len();
        for _ in 0..count {
            budget.take()?;
        }
        self.level().read_pieces(pieces, count, depth, budget)
    }

    fn level(&self) -> &Level {
        self.level.get_or_init(|| {
            let paths: Vec<FieldPath> = self.message.fields().map(|field| FieldPath { fields: vec![field], key: None }).collect();
            Box::new(Level::new(&self.message, &paths))
        })
    }

    fn single(&self, bytes: &[u8], budget: &mut Budget) -> Result<Value, PeekError> {
        let what = |what| move |_: prost::DecodeError| Malformed { offset: 0, what };
        Ok(match self.message.full_name() {
            "google.protobuf.Timestamp" => {
                let at = prost_types::Timestamp::decode(bytes).map_err(what("a timestamp cannot be read"))?;
                moment(at.seconds, at.nanos)
            }
            "google.protobuf.Duration" => {
                let length = prost_types::Duration::decode(bytes).map_err(what("a duration cannot be read"))?;
                let whole = jiff::SignedDuration::from_secs(length.seconds);
                let sum = whole.checked_add(jiff::SignedDuration::from_nanos(length.nanos.into()));
                sum.map_or(Value::Null, Value::Duration)
            }
            "google.type.Date" => {
                let parts = self.numbers(bytes)?;
                date(parts[0], parts[1], parts[2]).map_or(Value::Null, Value::Date)
            }
            "google.type.Decimal" => {
                let mut reader = Reader::new(bytes);
                let mut value = Value::Null;
                while let Some((number, raw)) = reader.field()? {
                    if let (1, Some(Value::Text(text))) = (number, scalar::value(&Kind::String, raw)?) {
                        value = text.parse().map_or(Value::Null, Value::Number);
                    }
                }
                value
            }
            "google.protobuf.Struct" => {
                let json = prost_types::Struct::decode(bytes).map_err(what("a struct cannot be read"))?;
                object(json, budget)?
            }
            "google.protobuf.ListValue" => {
                let json = prost_types::ListValue::decode(bytes).map_err(what("a list of values cannot be read"))?;
                array(json, budget)?
            }
            _ => {
                let json = prost_types::Value::decode(bytes).map_err(what("a value cannot be read"))?;
                from_json(json, budget)?
            }
        })
    }

    /// The numbers in the fields 1, 2 and 3.
    fn numbers(&self, bytes: &[u8]) -> Result<[i64; 3], PeekError> {
        let mut numbers = [0; 3];
        let mut reader = Reader::new(bytes);
        while let Some((number, raw)) = reader.field()? {
            if let (1..=3, Raw::Varint(value)) = (number, raw) {
                numbers[number as usize - 1] = i64::from(value as i32);
            }
        }
        Ok(numbers)
    }
}

/// A moment as a date and time in UTC.
pub(in crate::route) fn moment(seconds: i64, nanos: i32) -> Value {
    jiff::Timestamp::new(seconds, nanos).map_or(Value::Null, |at| {
        let civil = jiff::tz::TimeZone::UTC.to_datetime(at);
        Value::DateTime(Arc::new(DateTime { civil, zone: Zone::Offset(0) }))
    })
}

fn from_json(value: prost_types::Value, budget: &mut Budget) -> Result<Value, PeekError> {
    budget.take()?;
    Ok(match value.kind {
        None | Some(Json::NullValue(_)) => Value::Null,
        Some(Json::NumberValue(number)) => format!("{number:e}").parse::<Number>().map_or(Value::Null, Value::Number),
        Some(Json::StringValue(text)) => Value::text(text),
        Some(Json::BoolValue(value)) => Value::Boolean(value),
        Some(Json::StructValue(fields)) => object(fields, budget)?,
        Some(Json::ListValue(items)) => array(items, budget)?,
    })
}

fn object(json: prost_types::Struct, budget: &mut Budget) -> Result<Value, PeekError> {
    let entries = json.fields.into_iter().map(|(key, value)| Ok((Arc::from(key), from_json(value, budget)?)));
    Ok(Value::Context(Arc::new(entries.collect::<Result<Context, PeekError>>()?)))
}

fn array(json: prost_types::ListValue, budget: &mut Budget) -> Result<Value, PeekError> {
    let items: Result<Vec<Value>, PeekError> = json.values.into_iter().map(|value| from_json(value, budget)).collect();
    Ok(Value::list(items?))
}
