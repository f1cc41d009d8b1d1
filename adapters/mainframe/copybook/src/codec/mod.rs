//! Codec: the compiled plan between record bytes and protobuf bytes.

mod compile;
mod decimal;
mod decode;
mod encode;
mod error;
mod literal;
mod number;
mod packed;
mod plan;
mod probe;
mod slots;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod value;
mod zoned;

use std::fmt;
use std::sync::Arc;

pub use error::RecordError;
pub use probe::{Probe, ProbeValue};

use crate::json;
use crate::layout::Placement;
use crate::{Encoding, Item, LayoutError, MessageModel};

/// A compiled plan for one record and one message. Cheap to clone.
#[derive(Clone)]
pub struct Codec {
    plan: Arc<plan::Plan>,
    model: Arc<MessageModel>,
}

impl Codec {
    /// Compiles the plan. `message` must have its numbers: take it from a [`crate::Contract`].
    ///
    /// # Errors
    /// A message made from another record, or one without numbers; a VALUE or constant that does not fit its item.
    pub fn compile(record: &Item, message: &MessageModel, encoding: &Encoding) -> Result<Codec, LayoutError> {
        let placement = Placement::of(record)?;
        let plan = compile::plan(&placement, message, encoding)?;
        Ok(Codec { plan: Arc::new(plan), model: Arc::new(message.clone()) })
    }

    /// Record bytes to protobuf bytes.
    ///
    /// # Errors
    /// The first field whose bytes break a rule, with its path and offset.
    pub fn decode(&self, record: &[u8]) -> Result<Vec<u8>, RecordError> {
        decode::decode(&self.plan, record)
    }

    /// Protobuf bytes to record bytes: only the length in use.
    ///
    /// # Errors
    /// The first field whose value does not fit, with its path and offset; bytes that are no protobuf message.
    pub fn encode(&self, message: &[u8]) -> Result<Vec<u8>, RecordError> {
        encode::encode(&self.plan, message)
    }

    /// Record bytes to proto3 JSON.
    ///
    /// # Errors
    /// As [`Codec::decode`].
    pub fn decode_json(&self, record: &[u8]) -> Result<serde_json::Value, RecordError> {
        let message = self.decode(record)?;
        json::from_wire(&self.model.message, &message).map_err(|error| self.json_error(&error))
    }

    /// Proto3 JSON to record bytes. Fields may have their JSON or their protobuf names.
    ///
    /// # Errors
    /// As [`Codec::encode`]; a JSON value that does not fit its field, a name that no field has.
    pub fn encode_json(&self, value: &serde_json::Value) -> Result<Vec<u8>, RecordError> {
        let message = json::to_wire(&self.model.message, value).map_err(|error| self.json_error(&error))?;
        self.encode(&message)
    }

    fn json_error(&self, error: &json::JsonError) -> RecordError {
        RecordError { field: error.field.clone(), offset: 0, length: 0, rule: error.rule.clone() }
    }
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Codec({} ↔ {})", self.model.record(), self.model.name())
    }
}
