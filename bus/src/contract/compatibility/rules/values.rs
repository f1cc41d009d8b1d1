//! The default of a field as a value, so that `0`, `0.0` and none are the same.

use super::super::schema::{Cardinality, Field, Schema};
use super::types::{BOOL, BYTES, DOUBLE, ENUM, FLOAT, GROUP, MESSAGE, STRING};

/// A default.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Bytes(Vec<u8>),
    Integer(i128),
    /// Of a `float` the nearest `f32`, so that `float` and `double` can be compared.
    Float(f64, bool),
}

impl Value {
    /// Whether a reader that fills in the one sees what it would see with the other; two zeros of whatever type are the same.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
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
            Self::Bytes(bytes) => bytes.is_empty(),
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
        STRING => Value::Bytes(written.unwrap_or_default().as_bytes().to_vec()),
        BYTES => Value::Bytes(unescaped(written.unwrap_or_default())),
        BOOL => Value::Integer(i128::from(written == Some("true"))),
        ENUM => Value::Integer(enum_default(field, schema)),
        kind @ (DOUBLE | FLOAT) => {
            let number = match written {
                None => 0.0,
                Some("inf") => f64::INFINITY,
                Some("-inf") => f64::NEG_INFINITY,
                Some("nan") => f64::NAN,
                Some(text) => text.parse().unwrap_or_default(),
            };
            let is_short = kind == FLOAT;
            Value::Float(if is_short { f64::from(number as f32) } else { number }, is_short)
        }
        _ => Value::Integer(written.and_then(|text| text.parse().ok()).unwrap_or_default()),
    })
}

/// The bytes that a compiler wrote as `\001\"text\n` (C's escapes, numbers in octal).
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let Some((&escape, after)) = rest.split_first().filter(|_| first == b'\\') else {
            bytes.push(first);
            continue;
        };
        rest = after;
        bytes.push(match escape {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0'..=b'7' => {
                let digits = rest.iter().take(2).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
                let (octal, after) = rest.split_at(digits);
                rest = after;
                octal.iter().fold(escape - b'0', |number, digit| number.wrapping_mul(8).wrapping_add(digit - b'0'))
            }
            other => other,
        });
    }
    bytes
}

fn enum_default(field: &Field, schema: &Schema) -> i128 {
    let Some(item) = schema.enums.get(&field.type_name) else { return 0 };
    let written = field.default.as_ref();
    let named = written.and_then(|name| item.values.iter().find(|(_, names)| names.contains_key(name)));
    i128::from(named.map_or(item.first, |(number, _)| *number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_what_their_escapes_mean() {
        for (text, expected) in
            [("plain", &b"plain"[..]), (r#"t\"wo\001"#, b"t\"wo\x01"), (r"\377\0z\\\n", b"\xff\0z\\\n"), (r"\", b"\\"), ("", b"")]
        {
            assert_eq!(unescaped(text), expected, "{text}");
        }
    }

    #[test]
    fn zeros_of_all_types_are_the_same_and_numbers_are_compared_as_numbers() {
        let (integer, float, double) = (Value::Integer, |it: f32| Value::Float(it.into(), true), |it| Value::Float(it, false));
        let bytes = |text: &str| Value::Bytes(text.as_bytes().to_vec());
        for (one, other, expected) in [
            (integer(0), double(0.0), true),
            (bytes(""), integer(0), true),
            (bytes("0"), integer(0), false),
            (float(1.1), double(1.1), true),
            (double(1.1), double(1.100_000_1), false),
            (double(f64::NAN), float(f32::NAN), true),
            (integer(3), double(3.0), true),
            (integer(3), double(3.5), false),
            (integer(u64::MAX.into()), integer(-1), false),
        ] {
            assert_eq!(one.equals(&other), expected, "{one:?} {other:?}");
        }
    }
}
