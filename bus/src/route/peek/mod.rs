//! Named fields of a message, read from its wire bytes without decoding it: what is not asked for is passed over. Only a message that
//! a path ends at is decoded.
//!
//! What is passed over is not checked either: a message whose asked-for fields are whole goes its way, and what else may be wrong with
//! it is for the back office to say. Values are those of [`crate::payload`].

mod plan;
mod scalar;
#[cfg(test)]
mod tests;
mod whole;
mod wire;

use passerelle_feel::Value;
use prost_reflect::MessageDescriptor;

use self::plan::Level;
pub(super) use self::plan::{FieldPath, PathError};
pub(super) use self::wire::Reader;

/// Values that are made of one message at most: items of lists, entries of maps, fields of messages that are taken whole.
const MOST_VALUES: usize = 10_000;

/// Bytes of messages that are taken whole, together.
const MOST_DECODED: usize = 64 * 1024;

/// Fields to be read of messages of one type.
#[derive(Debug)]
pub(super) struct Peek {
    level: Level,
    fields: usize,
}

/// The bytes are no message, as far as they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at byte {offset})")]
pub(crate) struct Malformed {
    /// Bytes of the message before the place.
    pub(crate) offset: usize,
    pub(crate) what: &'static str,
}

/// Why fields cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PeekError {
    /// The bytes are no message.
    #[error("the request message is malformed: {0}")]
    Malformed(#[from] Malformed),
    /// More than routing may look at.
    #[error("the fields of the request that routes look at hold more than {MOST_VALUES} values")]
    TooMany,
    /// More than routing may decode.
    #[error("the messages of the request that routes take whole have more than {MOST_DECODED} bytes")]
    TooLarge,
}

impl Peek {
    /// Reads these fields of messages of this type.
    pub(super) fn new(message: &MessageDescriptor, paths: &[FieldPath]) -> Self {
        Self { level: Level::new(message, paths), fields: paths.len() }
    }

    /// The values of the fields, in the order of the paths.
    ///
    /// A field without a value is null where its message can tell (it is `optional`, of a oneof, or a message), or where a message
    /// on the way to it is not there; else it has its type's default.
    pub(super) fn read(&self, message: &[u8]) -> Result<Vec<Value>, PeekError> {
        self.level.read(wire::Reader::new(message), self.fields, &mut Budget { values: MOST_VALUES, decoded: MOST_DECODED })
    }
}

/// How much may still be made of one message.
struct Budget {
    values: usize,
    /// Bytes.
    decoded: usize,
}

impl Budget {
    fn take(&mut self) -> Result<(), PeekError> {
        self.values = self.values.checked_sub(1).ok_or(PeekError::TooMany)?;
        Ok(())
    }

    fn decode(&mut self, bytes: usize) -> Result<(), PeekError> {
        self.decoded = self.decoded.checked_sub(bytes).ok_or(PeekError::TooLarge)?;
        Ok(())
    }
}
