//! Layout: where each item of a record lies and how long it is.

use std::fmt;

use crate::Item;

/// Why a record has no layout, or a message or a codec cannot be made from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{item}: {message}")]
pub struct LayoutError {
    /// Path of the item, with its line in the copybook when known.
    pub item: String,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl LayoutError {
    pub(crate) fn new(item: impl Into<String>, message: impl Into<String>) -> Self {
        Self { item: item.into(), message: message.into() }
    }
}

/// Where the items of a record lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    rows: Vec<Row>,
    minimum: usize,
    maximum: usize,
}

/// One item of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Level number.
    pub level: u8,
    /// Depth below the record, which has 0.
    pub depth: usize,
    /// Names from below the record to the item, with dots: `CA-ACC.CA-ACC-NO`; the record's name for the record itself.
    pub path: String,
    /// Picture and usage as one writes them; empty for a group.
    pub picture: String,
    /// Offset from the start of the record, counted from 0, of the first element with every table before it at its maximum.
    pub offset: usize,
    /// Length in bytes of one element, with every table in it at its maximum.
    pub length: usize,
    /// Greatest number of elements; 1 without OCCURS.
    pub elements: u32,
    /// Whether the offset depends on a counter (OCCURS DEPENDING ON before it).
    pub slides: bool,
    /// What else there is to say: OCCURS … DEPENDING ON, REDEFINES.
    pub note: String,
}

impl Layout {
    /// Lays a record out.
    ///
    /// # Errors
    /// Items that cannot be laid out: an unknown counter, a record beyond [`crate::limits::RECORD_BYTES`]…
    pub fn of(record: &Item) -> Result<Layout, LayoutError> {
        Err(LayoutError::new(&record.name, "not yet"))
    }

    /// One row an item, in the order of the copybook; the first is the record itself.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Length in bytes with every variable table empty.
    pub fn minimum_length(&self) -> usize {
        self.minimum
    }

    /// Length in bytes with every table full.
    pub fn maximum_length(&self) -> usize {
        self.maximum
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            writeln!(f, "{} {}", row.offset, row.path)?;
        }
        Ok(())
    }
}
