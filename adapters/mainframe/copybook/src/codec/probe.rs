//! Probe: reads one elementary item of a record, for rules on a return code.

use crate::{Encoding, Item, LayoutError, RecordError};

/// Reads one elementary item of a record, at a place that no counter moves.
#[derive(Debug, Clone)]
pub struct Probe {}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeValue {
    /// A number: `unscaled` × 10^-`scale`.
    Number {
        /// All digits with the sign.
        unscaled: i128,
        /// Decimals; negative for zeros behind the last digit.
        scale: i32,
    },
    /// Text without the spaces behind it.
    Text(String),
}

impl Probe {
    /// Finds the item by its name or dotted path.
    ///
    /// # Errors
    /// No such item, several, a group, an element of a table, or one that slides.
    pub fn compile(record: &Item, field: &str, encoding: &Encoding) -> Result<Probe, LayoutError> {
        let _ = (record, encoding);
        Err(LayoutError::new(field, "not yet"))
    }

    /// Reads the item.
    ///
    /// # Errors
    /// A record too short, bytes that are no number.
    pub fn read(&self, record: &[u8]) -> Result<ProbeValue, RecordError> {
        let _ = record;
        Err(RecordError::new("", "not yet"))
    }
}
