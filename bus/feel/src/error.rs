//! What is wrong with the text of an expression, and where.

use std::fmt;

/// An expression that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong, and what was expected.
    pub message: String,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// The line, shortened.
    excerpt: String,
    caret: usize,
}

/// Characters shown on either side of the place.
const AROUND: usize = 40;

impl SyntaxError {
    pub(crate) fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = &text[..offset.min(text.len())];
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let column = text[begin..before.len()].chars().count();
        let skipped = column.saturating_sub(AROUND);
        let line: String = text[begin..].chars().take_while(|c| *c != '\n').skip(skipped).take(2 * AROUND).collect();
        let number = before.matches('\n').count() + 1;
        Self { message: message.into(), line: number, column: column + 1, excerpt: line, caret: column - skipped }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, line, column, excerpt, caret } = self;
        write!(f, "{message}, at line {line}, column {column}\n  {excerpt}\n  {:caret$}^", "")
    }
}

impl std::error::Error for SyntaxError {}
