//! Codec: the compiled plan between record bytes and protobuf bytes.

mod error;
mod probe;

pub use error::RecordError;
pub use probe::{Probe, ProbeValue};

use crate::{Encoding, Item, LayoutError, MessageModel};

/// A compiled plan for one record and one message.
#[derive(Debug, Clone)]
pub struct Codec {}

impl Codec {
    /// Compiles the plan. `message` must have its numbers: take it from a [`crate::Contract`].
    ///
    /// # Errors
    /// A message made from another record, or one without numbers.
    pub fn compile(record: &Item, message: &MessageModel, encoding: &Encoding) -> Result<Codec, LayoutError> {
        let _ = (message, encoding);
        Err(LayoutError::new(&record.name, "not yet"))
    }

    /// Record bytes to protobuf bytes.
    ///
    /// # Errors
    /// The first field whose bytes break a rule, with its path and offset.
    pub fn decode(&self, record: &[u8]) -> Result<Vec<u8>, RecordError> {
        let _ = record;
        Err(RecordError::new("", "not yet"))
    }

    /// Protobuf bytes to record bytes: only the length in use.
    ///
    /// # Errors
    /// The first field whose value does not fit, with its path and offset; bytes that are no protobuf message.
    pub fn encode(&self, message: &[u8]) -> Result<Vec<u8>, RecordError> {
        let _ = message;
        Err(RecordError::new("", "not yet"))
    }

    /// Record bytes to proto3 JSON.
    ///
    /// # Errors
    /// As [`Codec::decode`].
    pub fn decode_json(&self, record: &[u8]) -> Result<serde_json::Value, RecordError> {
        let _ = record;
        Err(RecordError::new("", "not yet"))
    }

    /// Proto3 JSON to record bytes.
    ///
    /// # Errors
    /// As [`Codec::encode`]; a JSON value that does not fit its field or an unknown name.
    pub fn encode_json(&self, value: &serde_json::Value) -> Result<Vec<u8>, RecordError> {
        let _ = value;
        Err(RecordError::new("", "not yet"))
    }
}
