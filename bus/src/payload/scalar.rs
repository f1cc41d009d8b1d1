//! One function for each sort of scalar: what it is in FEEL. Whoever reads fields off the wire uses the same.

use data_encoding::BASE64;
use passerelle_feel::{Number, Rounding, Value};
use prost_reflect::EnumDescriptor;

use super::error::Rule;

/// An integer with a sign, of any width.
#[must_use]
pub fn signed(value: i64) -> Value {
    Value::Number(Number::from(value))
}

/// An integer without a sign, of any width.
#[must_use]
pub fn unsigned(value: u64) -> Value {
    Number::scaled(value.into(), 0).map_or(Value::Null, Value::Number)
}

/// A float, by the shortest digits that tell it from its neighbours.
#[must_use]
pub fn float(value: f32) -> Value {
    if value.is_finite() { digits(format_args!("{value:e}")) } else { special(value.into()) }
}

/// A double, by the shortest digits that tell it from its neighbours.
#[must_use]
pub fn double(value: f64) -> Value {
    if value.is_finite() { digits(format_args!("{value:e}")) } else { special(value) }
}

/// Bytes, as protobuf's JSON has them (RFC 4648, section 4).
#[must_use]
pub fn bytes(value: &[u8]) -> Value {
    Value::text(BASE64.encode(value))
}

/// A value of an enumeration: its name, or its number where it has none.
#[must_use]
pub fn enumeration(of: &EnumDescriptor, number: i32) -> Value {
    of.get_value(number).map_or_else(|| signed(number.into()), |value| Value::text(value.name()))
}

fn digits(digits: std::fmt::Arguments<'_>) -> Value {
    digits.to_string().parse().map_or(Value::Null, Value::Number)
}

fn special(value: f64) -> Value {
    Value::text(if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    })
}

/// The whole number that a value is, in the range of `T`.
pub(super) fn whole<T: TryFrom<i128>>(value: &Value, kind: &'static str) -> Result<T, Rule> {
    let Value::Number(number) = value else { return Err(Rule::WrongType { wanted: "number", found: value.type_name() }) };
    let down = number.rounded(0, Rounding::Down);
    if down != Some(*number) {
        return Err(Rule::NotWhole(kind));
    }
    let (mut coefficient, mut exponent) = down.unwrap_or(*number).parts();
    while exponent < 0 {
        coefficient /= 10;
        exponent += 1;
    }
    while exponent > 0 && coefficient != 0 {
        coefficient = coefficient.checked_mul(10).ok_or(Rule::OutOfRange(kind))?;
        exponent -= 1;
    }
    T::try_from(coefficient).map_err(|_| Rule::OutOfRange(kind))
}

/// The double that is nearest to a value.
pub(super) fn as_double(value: &Value) -> Result<f64, Rule> {
    match value {
        Value::Number(number) => nearest(*number).filter(|value: &f64| value.is_finite()).ok_or(Rule::OutOfRange("double")),
        other => as_special(other),
    }
}

/// The float that is nearest to a value.
pub(super) fn as_float(value: &Value) -> Result<f32, Rule> {
    match value {
        Value::Number(number) => nearest(*number).filter(|value: &f32| value.is_finite()).ok_or(Rule::OutOfRange("float")),
        // NaN and the infinities are the same in both.
        other => as_special(other).map(|value| value as f32),
    }
}

fn nearest<T: std::str::FromStr>(number: Number) -> Option<T> {
    let (coefficient, exponent) = number.parts();
    format!("{coefficient}e{exponent}").parse().ok()
}

fn as_special(value: &Value) -> Result<f64, Rule> {
    match value {
        Value::Text(text) if &**text == "NaN" => Ok(f64::NAN),
        Value::Text(text) if &**text == "Infinity" => Ok(f64::INFINITY),
        Value::Text(text) if &**text == "-Infinity" => Ok(f64::NEG_INFINITY),
        other => Err(Rule::WrongType { wanted: "number", found: other.type_name() }),
    }
}

/// The bytes that a text stands for.
pub(super) fn as_bytes(value: &Value) -> Result<Vec<u8>, Rule> {
    match value {
        Value::Text(text) => {
            BASE64.decode(text.as_bytes()).map_err(|_| Rule::Unfit("the text is no base64, as bytes are written"))
        }
        other => Err(Rule::WrongType { wanted: "string", found: other.type_name() }),
    }
}

/// The number of an enumeration's value.
pub(super) fn as_enumeration(of: &EnumDescriptor, value: &Value) -> Result<i32, Rule> {
    match value {
        Value::Text(name) => of.get_value_by_name(name).map(|value| value.number()).ok_or_else(|| Rule::UnknownEnumValue {
            enumeration: of.full_name().to_owned(),
            known: of.values().map(|value| value.name().to_owned()).collect::<Vec<_>>().join(", "),
        }),
        // A number without a name, as it was read.
        Value::Number(_) => whole(value, "an enumeration"),
        other => Err(Rule::WrongType { wanted: "string", found: other.type_name() }),
    }
}
