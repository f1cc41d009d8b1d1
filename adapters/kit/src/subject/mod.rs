//! What is held against the laws: the file that describes it, and how it is opened.

pub(crate) mod file;

pub use file::{
    Class, EffectExample, Example, Proof, RefusalExample, SlowExample, StreamExample, SubjectError, SubjectFile, is_endpoint,
};
