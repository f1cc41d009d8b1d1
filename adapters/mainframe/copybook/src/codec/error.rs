//! What is wrong with a record or a message: field, place and rule, never its contents.

/// Why a record or a message cannot be turned into the other. Never holds text of a field: that is personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} at offset {offset}, {length} bytes: {rule}")]
pub struct RecordError {
    /// Path of the field with the elements' numbers, from 1: `CA-ACC(3).CA-ACC-BAL`; the record's name for the record as a whole.
    pub field: String,
    /// Offset in the record, in bytes.
    pub offset: usize,
    /// Length of the field in the record, in bytes.
    pub length: usize,
    /// Which rule is broken and what to do about it.
    pub rule: String,
}

impl RecordError {
    pub(crate) fn new(field: &str, rule: &str) -> Self {
        Self { field: field.to_owned(), offset: 0, length: 0, rule: rule.to_owned() }
    }
}
