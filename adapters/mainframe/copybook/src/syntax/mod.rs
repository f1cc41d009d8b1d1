//! Syntax: from COBOL text to items.

mod clause;
mod copybook;
mod entry;
mod item;
mod picture;
mod program;
mod scan;
mod source;
#[cfg(test)]
mod tests;
mod tree;
mod value;

pub use copybook::{Copybook, SyntaxError};
pub(crate) use item::FILLER;
pub use item::{Condition, ConditionValue, Item, Literal, Occurs, Position, Qualified, Sign, Usage};
pub use picture::{Picture, PictureKind};

/// What is refused and at which byte of the source's text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    offset: usize,
    message: String,
}

impl Refusal {
    fn at(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }
}
