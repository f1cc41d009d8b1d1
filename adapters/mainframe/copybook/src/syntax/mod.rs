//! Syntax: from COBOL text to items.

mod item;
mod picture;

pub(crate) use item::FILLER;
pub use item::{Condition, ConditionValue, Item, Literal, Occurs, Position, Qualified, Sign, Usage};
pub use picture::{Picture, PictureKind};

use crate::LayoutError;

/// Why a text is no copybook that this crate reads. Prints as `file:line:column: what, what next`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{}:{}: {message}", .position.line, .position.column)]
pub struct SyntaxError {
    /// Name of the text, as given to [`Copybook::parse`].
    pub path: String,
    /// Where it stands.
    pub position: Position,
    /// What it is and what to do about it.
    pub message: String,
}

/// The records of a copybook or of a whole program's DATA DIVISION.
#[derive(Debug, Clone, PartialEq)]
pub struct Copybook {
    records: Vec<Item>,
}

impl Copybook {
    /// Reads a copybook, a fragment of one, or a whole program; `path` is only for messages.
    ///
    /// # Errors
    /// What this crate does not read, with its place.
    pub fn parse(path: &str, source: &str) -> Result<Copybook, SyntaxError> {
        let _ = source;
        let position = Position { line: 1, column: 1 };
        Err(SyntaxError { path: path.to_owned(), position, message: "not yet".to_owned() })
    }

    /// All records, in the order of the text.
    pub fn records(&self) -> &[Item] {
        &self.records
    }

    /// The record of that name; without a name the only one, or the only one of the LINKAGE SECTION.
    ///
    /// # Errors
    /// Names the records there are when none or several fit.
    pub fn record(&self, name: Option<&str>) -> Result<&Item, LayoutError> {
        self.records.iter().find(|r| name.is_none_or(|n| n == r.name)).ok_or_else(|| LayoutError::new("", "not yet"))
    }
}
