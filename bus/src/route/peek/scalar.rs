//! Single values off the wire: the same values as of decoded messages.

use passerelle_feel::Value;
use prost_reflect::Kind;

use super::wire::{Raw, Reader};
use super::{Budget, PeekError};
use crate::payload::scalar;

/// A scalar's value; nothing where the wire has another sort than the contract says.
pub(super) fn value(kind: &Kind, raw: Raw<'_>) -> Result<Option<Value>, PeekError> {
    Ok(Some(match (kind, raw) {
        (Kind::Bool, Raw::Varint(value)) => Value::Boolean(value != 0),
        // Negative numbers of 32 bits are written with 64: what is above is cut off, as every decoder does.
        (Kind::Int32, Raw::Varint(value)) => scalar::signed(i64::from(value as i32)),
        (Kind::Int64, Raw::Varint(value)) => scalar::signed(value as i64),
        (Kind::Uint32, Raw::Varint(value)) => scalar::signed(i64::from(value as u32)),
        (Kind::Uint64, Raw::Varint(value)) | (Kind::Fixed64, Raw::Fixed64(value)) => scalar::unsigned(value),
        (Kind::Sint32, Raw::Varint(value)) => scalar::signed(zigzag(u64::from(value as u32))),
        (Kind::Sint64, Raw::Varint(value)) => scalar::signed(zigzag(value)),
        (Kind::Fixed32, Raw::Fixed32(value)) => scalar::signed(value.into()),
        (Kind::Sfixed32, Raw::Fixed32(value)) => scalar::signed(i64::from(value as i32)),
        (Kind::Sfixed64, Raw::Fixed64(value)) => scalar::signed(value as i64),
        (Kind::Float, Raw::Fixed32(value)) => scalar::float(f32::from_bits(value)),
        (Kind::Double, Raw::Fixed64(value)) => scalar::double(f64::from_bits(value)),
        (Kind::String, Raw::Chunk(chunk)) => {
            let text = std::str::from_utf8(chunk.rest()).map_err(|_| chunk.wrong("a text is not UTF-8"))?;
            Value::text(text)
        }
        (Kind::Bytes, Raw::Chunk(chunk)) => scalar::bytes(chunk.rest()),
        (Kind::Enum(names), Raw::Varint(value)) => scalar::enumeration(names, value as i32),
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
        _ => scalar::signed(0),
    }
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
