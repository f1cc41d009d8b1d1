//! JSON: messages as proto3 JSON and back, by their model (protobuf.dev, "ProtoJSON Format").

mod base64;
mod read;
mod write;

pub(crate) use read::to_wire;
pub(crate) use write::from_wire;

/// What is wrong with a JSON value, or with the protobuf bytes it is made from.
#[derive(Debug)]
pub(crate) struct JsonError {
    /// The field, by its path in the record, or the message's name.
    pub(crate) field: String,
    pub(crate) rule: String,
}

impl JsonError {
    fn new(field: &str, rule: impl Into<String>) -> Self {
        Self { field: field.to_owned(), rule: rule.into() }
    }
}
