//! Translations: one message type to another, by expressions that are held against both descriptors before they run.
//!
//! What cannot be known before (a text for an enumeration, a context of any keys) is accepted where the message that is written can refuse it,
//! which it does by the field's path and the rule, never by the value.

mod compile;
mod example;
mod fit;
mod loss;
mod mapping;
mod set;
mod side;
mod source;
#[cfg(test)]
mod tests;
mod written;

pub use example::{ExampleFailure, Examples};
pub use loss::Loss;
pub use mapping::{Mapping, TranslationError};
pub use set::{Exposed, Set};
pub use side::side_breaches;
pub use source::{Problem, Sources};
pub use written::{ExampleFile, File};
