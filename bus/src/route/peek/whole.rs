//! Messages that are taken whole: these alone are decoded, and bounded.

use std::sync::Arc;

use passerelle_feel::Value;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor};

use super::wire::{Raw, Reader};
use super::{Budget, Malformed, PeekError, scalar};
use crate::payload::to_value;

/// The value of a message, of one or several pieces: together they are one.
pub(super) fn value(of: &MessageDescriptor, pieces: &[Reader<'_>], budget: &mut Budget) -> Result<Value, PeekError> {
    budget.take()?;
    budget.decode(pieces.iter().map(|piece| piece.rest().len()).sum())?;
    let wrong = |what| Malformed { offset: pieces.first().map_or(0, Reader::offset), what };
    let message = match pieces {
        [one] => DynamicMessage::decode(of.clone(), one.rest()),
        several => {
            let together = several.iter().map(Reader::rest).collect::<Vec<_>>().concat();
            DynamicMessage::decode(of.clone(), together.as_slice())
        }
    };
    let message = message.map_err(|_| wrong("a message that routes look at as a whole cannot be decoded"))?;
    Ok(to_value(&message).map_err(|_| wrong("a message that routes look at as a whole is not what its type says"))?)
}

/// Key and value of a map's entry. Its parts are always there: what is missing has its type's default.
pub(super) fn entry(of: &MessageDescriptor, mut entry: Reader<'_>, budget: &mut Budget) -> Result<(Arc<str>, Value), PeekError> {
    budget.take()?;
    let (key_kind, value_kind) = (of.map_entry_key_field().kind(), of.map_entry_value_field().kind());
    let mut key = scalar::default_of(&key_kind);
    let (mut single, mut pieces) = (scalar::default_of(&value_kind), Vec::new());
    while let Some((number, raw)) = entry.field()? {
        match (number, &value_kind, raw) {
            (1, _, raw) => key = scalar::value(&key_kind, raw)?.unwrap_or(key),
            (2, Kind::Message(_), Raw::Chunk(chunk)) => pieces.push(chunk),
            (2, kind, raw) => single = scalar::value(kind, raw)?.unwrap_or(single),
            _ => {}
        }
    }
    let value = match &value_kind {
        Kind::Message(inner) => value(inner, &pieces, budget)?,
        _ => single,
    };
    let key = match key {
        Value::Text(key) => key,
        other => other.to_string().into(),
    };
    Ok((key, value))
}
