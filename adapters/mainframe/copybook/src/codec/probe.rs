//! Probe: reads one elementary item of a record, for rules on a return code.

use super::error::Rule;
use super::number::{NotANumber, Number};
use super::text::Text;
use crate::layout::Placement;
use crate::{Encoding, InvalidNumeric, Item, LayoutError, RecordError};

/// Reads one elementary item of a record, at a place that no counter moves. Unlike [`crate::Codec`] it asks nothing of the rest.
#[derive(Debug, Clone)]
pub struct Probe {
    path: String,
    offset: usize,
    length: usize,
    number: Option<Number>,
    text: Text,
    invalid_numeric: InvalidNumeric,
}

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
        let placement = Placement::of(record)?;
        let id = placement.find(field)?;
        let node = &placement.nodes[id];
        let wrong = |message: &str| Err(LayoutError::new(node.label(), message));
        if !node.item.is_elementary() {
            return wrong("a group cannot be read by itself: name an elementary item");
        }
        if placement.in_another_table(id, 0) {
            return wrong("an element of a table cannot be read by itself");
        }
        if node.slides {
            return wrong("it lies behind a table with OCCURS DEPENDING ON and has no fixed place");
        }
        let text = Text::new(encoding.code_page, node.item.justified_right);
        let number = Number::of(node.item, encoding);
        let (path, offset, length) = (node.path.clone(), node.offset, node.length);
        Ok(Probe { path, offset, length, number, text, invalid_numeric: encoding.invalid_numeric })
    }

    /// Reads the item.
    ///
    /// # Errors
    /// A record too short, bytes that are no number.
    pub fn read(&self, record: &[u8]) -> Result<ProbeValue, RecordError> {
        let wrong = |rule: Rule| RecordError {
            field: self.path.clone(),
            offset: self.offset,
            length: self.length,
            rule: rule.into_owned(),
        };
        let bytes = record
            .get(self.offset..self.offset + self.length)
            .ok_or_else(|| wrong(format!("the record has only {} bytes", record.len()).into()))?;
        let Some(number) = &self.number else {
            let mut text = Vec::new();
            self.text.read(self.text.trim(bytes), &mut text).map_err(wrong)?;
            return Ok(ProbeValue::Text(String::from_utf8_lossy(&text).into_owned()));
        };
        let unscaled = match number.read(bytes) {
            Ok(unscaled) => unscaled,
            Err(NotANumber::Blank) if number.blank_is_zero(bytes) || self.invalid_numeric != InvalidNumeric::Error => 0,
            Err(NotANumber::Blank) => return Err(wrong("a number of spaces or low-values".into())),
            Err(NotANumber::Wrong(rule)) => return Err(wrong(rule)),
        };
        Ok(ProbeValue::Number { unscaled, scale: number.scale })
    }
}
