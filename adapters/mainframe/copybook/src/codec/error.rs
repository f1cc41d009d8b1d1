//! What is wrong with a record or a message: field, place and rule, never its contents.

use std::borrow::Cow;

/// Why a record or a message cannot be turned into the other. Never holds text of a field: that is personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}{}: {rule}", place(*.offset, *.length))]
pub struct RecordError {
    /// Path of the field with the elements' numbers, from 1: `CA-ACC(3).CA-ACC-BAL`; the record's name for the record as a whole.
    pub field: String,
    /// Offset in the record, in bytes; 0 with length 0 when there is no record yet.
    pub offset: usize,
    /// Length of the field in the record, in bytes.
    pub length: usize,
    /// Which rule is broken and what to do about it.
    pub rule: String,
}

/// Nothing when the place in the record is not known: a message that is no message, or JSON that does not fit.
fn place(offset: usize, length: usize) -> String {
    if offset + length == 0 { String::new() } else { format!(" at offset {offset}, {length} bytes") }
}

/// The rule that a value breaks, before its place is added.
pub(super) type Rule = Cow<'static, str>;

/// A path in which each table's place for a subscript is known.
#[derive(Debug, Clone)]
pub(super) struct Path {
    parts: Vec<(String, bool)>,
}

impl Path {
    /// Names from the outside in; true for those that are tables.
    pub(super) fn new(parts: Vec<(String, bool)>) -> Self {
        Self { parts }
    }

    /// The path with subscripts, as far as they are known.
    pub(super) fn with(&self, subscripts: &[usize]) -> String {
        let mut subscripts = subscripts.iter();
        let parts = self.parts.iter().map(|(name, is_table)| match is_table.then(|| subscripts.next()).flatten() {
            Some(subscript) => format!("{name}({})", subscript + 1),
            None => name.clone(),
        });
        parts.collect::<Vec<_>>().join(".")
    }
}
