//! The default of a field as a value, so that `0`, `0.0` and none are the same.

use super::super::schema::{Cardinality, Field, Schema};
use super::types::{BOOL, BYTES, ENUM, GROUP, MESSAGE, STRING};

/// A default.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i128),
    /// Of a `float` the nearest `f32`, so that `float` and `double` can be compared.
    Float(f64, bool),
}

impl Value {
    /// Whether a reader that fills in the one sees what it would see with the other; two zeros of whatever type are the same.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Integer(one), Self::Integer(other)) => one == other,
            (Self::Float(one, short), Self::Float(other, other_short)) => {
                let narrow = short != other_short;
                let round = |value: f64| if narrow { f64::from(value as f32) } else { value };
                one.is_nan() && other.is_nan() || round(*one) == round(*other)
            }
            // Integers beyond 2^53 have no float that is theirs alone.
            (Self::Integer(one), Self::Float(other, _)) | (Self::Float(other, _), Self::Integer(one)) => {
                other.fract() == 0.0 && *other as i128 == *one
            }
            (one, other) => one.is_zero() && other.is_zero(),
        }
    }

    fn is_zero(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Integer(number) => *number == 0,
            Self::Float(number, _) => *number == 0.0 && number.is_sign_positive(),
        }
    }
}

/// The default of a field, written or not; `None` where there can be none.
pub(super) fn default(field: &Field, schema: &Schema) -> Option<Value> {
    if matches!(field.cardinality, Cardinality::Repeated | Cardinality::Map) || matches!(field.kind, MESSAGE | GROUP) {
        return None;
    }
    let written = field.default.as_deref();
    Some(match field.kind {
        STRING => Value::Text(written.unwrap_or_default().to_owned()),
        // Escaped by the compiler, always in the same way; a string without escapes is the same text.
        BYTES => Value::Text(written.unwrap_or_default().to_owned()),
        BOOL => Value::Integer(i128::from(written == Some("true"))),
        ENUM => Value::Integer(enum_default(field, schema)),
        kind @ (1 | 2) => {
            let number = match written {
                None => 0.0,
                Some("inf") => f64::INFINITY,
                Some("-inf") => f64::NEG_INFINITY,
                Some("nan") => f64::NAN,
                Some(text) => text.parse().unwrap_or_default(),
            };
            let is_short = kind == 2;
            Value::Float(if is_short { f64::from(number as f32) } else { number }, is_short)
        }
        _ => Value::Integer(written.and_then(|text| text.parse().ok()).unwrap_or_default()),
    })
}

fn enum_default(field: &Field, schema: &Schema) -> i128 {
    let Some(item) = schema.enums.get(&field.type_name) else { return 0 };
    let written = field.default.as_ref();
    let named = written.and_then(|name| item.values.iter().find(|(_, names)| names.contains_key(name)));
    i128::from(named.map_or(item.first, |(number, _)| *number))
}
