//! What FEEL can know of a message before there is one.

use std::sync::Arc;

use passerelle_feel::{Number, Schema, Shape, Span};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::well_known::{Single, single};

/// What is known of a message's value. Unlike [`super::type_of`] it tells the range of numbers, and a message may contain itself.
#[must_use]
pub fn shape_of(message: &MessageDescriptor) -> Shape {
    match single(message) {
        None => Shape::Record(Arc::new(Fields(message.clone()))),
        Some(single) => of_single(single, message),
    }
}

/// The fields of a message.
struct Fields(MessageDescriptor);

impl std::fmt::Debug for Fields {
    /// By its name: the library's own follows a message that contains itself until the stack is gone.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.full_name())
    }
}

impl Schema for Fields {
    fn name(&self) -> &str {
        self.0.full_name()
    }

    fn entry(&self, name: &str) -> Option<Shape> {
        self.0.get_field_by_name(name).map(|field| of_field(&field))
    }

    fn entries(&self) -> Vec<Arc<str>> {
        self.0.fields().map(|field| Arc::from(field.name())).collect()
    }
}

fn of_field(field: &FieldDescriptor) -> Shape {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => Shape::Map(Arc::new(of_kind(&entry.map_entry_value_field().kind()))),
        kind if field.is_list() => Shape::list(of_kind(&kind)),
        kind => of_kind(&kind),
    }
}

fn of_kind(kind: &Kind) -> Shape {
    match kind {
        Kind::Bool => Shape::Boolean,
        Kind::String | Kind::Bytes => Shape::TEXT,
        Kind::Enum(names) => Shape::Text(Some(names.values().map(|value| Arc::from(value.name())).collect())),
        Kind::Message(message) => shape_of(message),
        kind => range(kind).map_or(Shape::NUMBER, Shape::Number),
    }
}

/// The numbers that a field can hold.
pub(crate) fn range(kind: &Kind) -> Option<Span> {
    let whole = |low: i128, high: i128| Span::whole(Number::scaled(low, 0), Number::scaled(high, 0));
    let around =
        |limit: &str| limit.parse::<Number>().ok().map(|high| Span { whole: false, low: Some(high.negated()), high: Some(high) });
    Some(match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => whole(i32::MIN.into(), i32::MAX.into()),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => whole(i64::MIN.into(), i64::MAX.into()),
        Kind::Uint32 | Kind::Fixed32 => whole(0, u32::MAX.into()),
        Kind::Uint64 | Kind::Fixed64 => whole(0, u64::MAX.into()),
        Kind::Float => return around("3.4028235e38"),
        Kind::Double => return around("1.7976931348623157e308"),
        _ => return None,
    })
}

fn of_single(single: Single, message: &MessageDescriptor) -> Shape {
    let inside = |name: &str| message.get_field_by_name(name).map_or(Shape::Unknown, |field| of_kind(&field.kind()));
    match single {
        Single::Timestamp | Single::DateTime => Shape::DateTime,
        Single::Duration => Shape::Duration,
        Single::Wrapper => inside("value"),
        Single::Struct | Single::Any => Shape::Map(Arc::new(Shape::Unknown)),
        Single::Value => Shape::Unknown,
        Single::ListValue => Shape::list(Shape::Unknown),
        Single::Date => Shape::Date,
        Single::TimeOfDay => Shape::Time,
        Single::Money => Shape::Context(Arc::new(vec![("currency_code".into(), Shape::TEXT), ("amount".into(), Shape::NUMBER)])),
        Single::Decimal => Shape::NUMBER,
        Single::Interval => Shape::Range(Arc::new(Shape::DateTime)),
    }
}
