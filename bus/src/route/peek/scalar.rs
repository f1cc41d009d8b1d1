//! Single values off the wire: numbers, texts, booleans, bytes and enumerations as FEEL has them.

use passerelle_feel::{Number, Value};
use prost_reflect::Kind;

use super::wire::{Raw, Reader};
use super::{Budget, PeekError};

/// A scalar's value; nothing where the wire has another sort than the contract says.
pub(super) fn value(kind: &Kind, raw: Raw<'_>) -> Result<Option<Value>, PeekError> {
    Ok(Some(match (kind, raw) {
        (Kind::Bool, Raw::Varint(value)) => Value::Boolean(value != 0),
        // Negative numbers of 32 bits are written with 64: what is above is cut off, as every decoder does.
        (Kind::Int32, Raw::Varint(value)) => whole(i64::from(value as i32)),
        (Kind::Int64, Raw::Varint(value)) => whole(value as i64),
        (Kind::Uint32, Raw::Varint(value)) => whole(i64::from(value as u32)),
        (Kind::Uint64, Raw::Varint(value)) | (Kind::Fixed64, Raw::Fixed64(value)) => unsigned(value),
        (Kind::Sint32, Raw::Varint(value)) => whole(zigzag(u64::from(value as u32))),
        (Kind::Sint64, Raw::Varint(value)) => whole(zigzag(value)),
        (Kind::Fixed32, Raw::Fixed32(value)) => whole(value.into()),
        (Kind::Sfixed32, Raw::Fixed32(value)) => whole(i64::from(value as i32)),
        (Kind::Sfixed64, Raw::Fixed64(value)) => whole(value as i64),
        (Kind::Float, Raw::Fixed32(value)) => float(format_args!("{:e}", f32::from_bits(value))),
        (Kind::Double, Raw::Fixed64(value)) => float(format_args!("{:e}", f64::from_bits(value))),
        (Kind::String, Raw::Chunk(chunk)) => {
            let text = std::str::from_utf8(chunk.rest()).map_err(|_| chunk.wrong("a text is not UTF-8"))?;
            Value::text(text)
        }
        (Kind::Bytes, Raw::Chunk(chunk)) => Value::text(base64(chunk.rest())),
        (Kind::Enum(names), Raw::Varint(value)) => {
            let number = value as i32;
            names.get_value(number).map_or_else(|| whole(number.into()), |named| Value::text(named.name()))
        }
        _ => return Ok(None),
    }))
}

/// Adds the values of a field that may stand several times: one, or many packed into a chunk.
pub(super) fn add(kind: &Kind, raw: Raw<'_>, into: &mut Vec<Value>, budget: &mut Budget) -> Result<(), PeekError> {
    match raw {
        Raw::Chunk(mut chunk) if !matches!(kind, Kind::String | Kind::Bytes) => {
            while !chunk.is_empty() {
                budget.take()?;
                let raw = packed(kind, &mut chunk)?;
                into.extend(value(kind, raw)?);
            }
        }
        raw => {
            budget.take()?;
            into.extend(value(kind, raw)?);
        }
    }
    Ok(())
}

fn packed<'a>(kind: &Kind, chunk: &mut Reader<'a>) -> Result<Raw<'a>, PeekError> {
    Ok(match kind {
        Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => Raw::Fixed32(chunk.fixed32()?),
        Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => Raw::Fixed64(chunk.fixed64()?),
        _ => Raw::Varint(chunk.varint()?),
    })
}

/// What a field of this kind is where nothing is written.
pub(super) fn default_of(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => Value::Boolean(false),
        Kind::String | Kind::Bytes => Value::text(""),
        Kind::Enum(names) => Value::text(names.default_value().name()),
        Kind::Message(_) => Value::Null,
        _ => whole(0),
    }
}

pub(super) fn whole(value: i64) -> Value {
    Value::Number(Number::from(value))
}

fn unsigned(value: u64) -> Value {
    i64::try_from(value).map_or_else(|_| Number::scaled(value.into(), 0).map_or(Value::Null, Value::Number), whole)
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// By its shortest decimal digits; NaN and the infinities are no numbers of FEEL's.
fn float(digits: std::fmt::Arguments<'_>) -> Value {
    digits.to_string().parse().map_or(Value::Null, Value::Number)
}

/// As JSON has bytes (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let three = group.iter().fold(0_u32, |so_far, byte| so_far << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(three >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
