//! Why a message and a value do not fit: the field's path and the rule, never a value.

use std::fmt;

/// A message that cannot be read, or a value that a field cannot take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadError {
    /// From the outside in: `lines`, `[2]`, `amount`.
    path: Vec<String>,
    /// What does not hold.
    pub rule: Rule,
}

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Another sort of value is wanted.
    #[error("takes a {wanted}, and there is a {found}")]
    WrongType {
        /// What the field takes.
        wanted: &'static str,
        /// What there is.
        found: &'static str,
    },
    /// A number beyond what the field can hold.
    #[error("the number is out of the range of {0}")]
    OutOfRange(&'static str),
    /// A number with digits behind the point, in a field for whole ones.
    #[error("the number is not whole, as {0} has to be: round it")]
    NotWhole(&'static str),
    /// A text that names no value.
    #[error("{enumeration} has no such value (it has: {known})")]
    UnknownEnumValue {
        /// The enumeration's full name.
        enumeration: String,
        /// The names that there are.
        known: String,
    },
    /// An entry that is no field.
    #[error("an entry of the context is no field of {message} (it has: {known})")]
    UnknownField {
        /// The message's full name.
        message: String,
        /// The names that there are.
        known: String,
    },
    /// Two fields of which only one can be.
    #[error("of the oneof {0} two fields have values, where one can have")]
    SecondOfOneof(String),
    /// A moment on an unknown clock.
    #[error("a date and time without a zone is no moment: give it an offset or a zone")]
    NoZone,
    /// A field that the contract requires has no value.
    #[error("the field is required, and has no value")]
    Missing,
    /// What cannot be read or written otherwise.
    #[error("{0}")]
    Unfit(&'static str),
}

impl PayloadError {
    /// The field's path: `lines[2].amount`. Keys of maps are data, and stand as `*`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for part in &self.path {
            if !path.is_empty() && !part.starts_with('[') {
                path.push('.');
            }
            path.push_str(part);
        }
        path
    }

    /// The same, seen from the field around it.
    #[must_use]
    pub(crate) fn within(mut self, part: impl Into<String>) -> Self {
        self.path.insert(0, part.into());
        self
    }
}

impl From<Rule> for PayloadError {
    fn from(rule: Rule) -> Self {
        Self { path: Vec::new(), rule }
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => self.rule.fmt(formatter),
            false => write!(formatter, "{}: {}", self.path(), self.rule),
        }
    }
}

impl std::error::Error for PayloadError {}
