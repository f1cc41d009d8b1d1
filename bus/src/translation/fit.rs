//! Whether what an expression gives is what a field takes.

use std::sync::Arc;

use passerelle_feel::{Number, Shape, Span};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::payload::{Single, range, single};

/// Messages within messages that are looked into; a message that contains itself ends nowhere else.
const MOST_DEPTH: usize = 32;

/// Holds shapes against fields.
pub(super) struct Fit {
    /// Numbers that the field cannot hold refuse the message when it comes.
    pub(super) narrow: bool,
    depth: usize,
}

/// What does not fit; the path within the field, and why.
type Fits = Result<(), String>;

impl Fit {
    pub(super) fn new(narrow: bool) -> Self {
        Self { narrow, depth: 0 }
    }

    /// Whether a field takes such values.
    pub(super) fn field(&mut self, shape: &Shape, field: &FieldDescriptor) -> Fits {
        let kind = field.kind();
        match (&kind, shape) {
            (_, Shape::Unknown | Shape::Null) => Ok(()),
            (_, Shape::Either(all)) => all.iter().try_for_each(|shape| self.field(shape, field)),
            (Kind::Message(entry), shape) if field.is_map() => {
                let kind = entry.map_entry_value_field().kind();
                match shape {
                    Shape::Map(value) => within("*", self.one(value, &kind)),
                    Shape::Context(entries) => entries.iter().try_for_each(|(name, value)| within(name, self.one(value, &kind))),
                    other => Err(takes("context", other)),
                }
            }
            (kind, Shape::List(item)) if field.is_list() => within("[]", self.one(item, kind)),
            (_, other) if field.is_list() => Err(takes("list", other)),
            (kind, shape) => self.one(shape, kind),
        }
    }

    fn one(&mut self, shape: &Shape, kind: &Kind) -> Fits {
        match (kind, shape) {
            (_, Shape::Unknown | Shape::Null) | (Kind::Bool, Shape::Boolean) => Ok(()),
            (_, Shape::Either(all)) => all.iter().try_for_each(|shape| self.one(shape, kind)),
            (Kind::String | Kind::Bytes, Shape::Text(_)) => Ok(()),
            (Kind::Enum(names), Shape::Text(words)) => {
                let strange = words.iter().flat_map(|words| words.iter()).find(|word| names.get_value_by_name(word).is_none());
                let known = || names.values().map(|value| value.name().to_owned()).collect::<Vec<_>>().join(", ");
                strange.map_or(Ok(()), |word| {
                    Err(format!(
                        "{} has no value {word} (it has: {}): say by a `table` what it becomes",
                        names.full_name(),
                        known()
                    ))
                })
            }
            (Kind::Message(message), shape) => self.message(shape, message),
            (Kind::Bool, other) => Err(takes("boolean", other)),
            (Kind::String | Kind::Bytes | Kind::Enum(_), other) => Err(takes("string", other)),
            (_, Shape::Number(_)) if self.narrow => Ok(()),
            (kind, Shape::Number(span)) => number(*span, kind),
            (_, other) => Err(takes("number", other)),
        }
    }

    fn message(&mut self, shape: &Shape, message: &MessageDescriptor) -> Fits {
        let wanted = match single(message) {
            None => return self.record(shape, message),
            Some(Single::Wrapper) => {
                return message.get_field_by_name("value").map_or(Ok(()), |field| self.one(shape, &field.kind()));
            }
            Some(Single::Value) => return if matches!(shape, Shape::Function) { Err(takes("value", shape)) } else { Ok(()) },
            Some(Single::Timestamp) => "date and time",
            Some(Single::Duration) => "days and time duration",
            Some(Single::Struct | Single::Any) => "context",
            Some(Single::ListValue) => "list",
            Some(Single::Decimal) => "number",
            Some(Single::Interval) => "range",
            Some(Single::Money) => {
                let Shape::Context(entries) = shape else { return context(shape) };
                let strange = entries.iter().find(|(name, _)| !matches!(&**name, "currency_code" | "amount"));
                return strange
                    .map_or(Ok(()), |(name, _)| Err(format!("a Money has no `{name}`: it has currency_code and amount")));
            }
            Some(Single::Date | Single::TimeOfDay | Single::DateTime) if shape.type_name() == "context" => return Ok(()),
            Some(Single::Date) => "date",
            Some(Single::TimeOfDay) => "time",
            Some(Single::DateTime) => "date and time",
        };
        if shape.type_name() == wanted { Ok(()) } else { Err(takes(wanted, shape)) }
    }

    fn record(&mut self, shape: &Shape, message: &MessageDescriptor) -> Fits {
        let entries: Vec<(Arc<str>, Shape)> = match shape {
            Shape::Context(entries) => entries.to_vec(),
            Shape::Record(schema) => {
                let entry = |name: Arc<str>| Some((name.clone(), schema.entry(&name)?));
                schema.entries().into_iter().filter_map(entry).collect()
            }
            other => return context(other),
        };
        if self.depth == MOST_DEPTH {
            return Ok(());
        }
        self.depth += 1;
        let fits = entries.iter().try_for_each(|(name, shape)| match message.get_field_by_name(name) {
            None => Err(unknown(message, name)),
            Some(field) => within(name, self.field(shape, &field)),
        });
        self.depth -= 1;
        fits
    }
}

/// What is told of a field that there is not.
pub(super) fn unknown(message: &MessageDescriptor, name: &str) -> String {
    let known = message.fields().map(|field| field.name().to_owned()).collect::<Vec<_>>().join(", ");
    format!("{} has no field `{name}` (it has: {known})", message.full_name())
}

/// A context of keys that nobody knows is looked at when it comes.
fn context(shape: &Shape) -> Fits {
    if matches!(shape, Shape::Map(_) | Shape::Record(_)) { Ok(()) } else { Err(takes("context", shape)) }
}

fn within(name: &str, fits: Fits) -> Fits {
    fits.map_err(|why| format!("{name}: {why}"))
}

fn takes(wanted: &str, found: &Shape) -> String {
    format!("takes a {wanted}, and the expression gives a {}", found.type_name())
}

fn number(span: Span, kind: &Kind) -> Fits {
    let Some(room) = range(kind) else { return Ok(()) };
    let whole = room.whole;
    // Doubles and floats hold all whole numbers of 53 and 24 bits.
    let exact = match kind {
        Kind::Double if span.whole => Number::scaled(1 << 53, 0),
        Kind::Float if span.whole => Number::scaled(1 << 24, 0),
        _ => None,
    };
    let (low, high) = (exact.map(Number::negated).or(room.low), exact.or(room.high));
    let beyond = |end: Option<Number>, limit: Option<Number>, over: fn(Number, Number) -> bool| match (end, limit) {
        (Some(end), Some(limit)) => over(end, limit),
        // Into a double everything fits about.
        (None, _) => whole,
        _ => false,
    };
    if whole && !span.whole {
        return Err("takes whole numbers, and the expression may give others: round it (floor(), ceiling(), round half up(x, 0)), or say `narrow: refuse`".to_owned());
    }
    if beyond(span.low, low, |end, limit| end < limit) || beyond(span.high, high, |end, limit| end > limit) {
        let ends = low.zip(high).map_or(String::new(), |(low, high)| format!(" {} to {}", brief(low), brief(high)));
        let what = if exact.is_some() { "holds without loss" } else { "holds" };
        return Err(format!(
            "{what} numbers{ends}, and the expression may give others: bound it (min(), max()), or say `narrow: refuse`"
        ));
    }
    Ok(())
}

/// A number without rows of zeros.
fn brief(number: Number) -> String {
    let (coefficient, exponent) = number.parts();
    if exponent > 6 { format!("{coefficient}E{exponent}") } else { number.to_string() }
}
