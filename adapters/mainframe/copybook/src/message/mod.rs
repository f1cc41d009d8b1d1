//! Messages: what of a record a protobuf message shows, under which names and types.

mod rules;

use std::collections::BTreeMap;

pub use rules::{As, Constant, FieldRules, MessageRules};

use crate::{Item, LayoutError};

/// Rules for fields by COBOL name or dotted path.
pub type Fields = BTreeMap<String, FieldRules>;

/// One request or response message made from a record. Without field numbers until a [`crate::ContractBuilder`] gave it them.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageModel {
    name: String,
}

impl MessageModel {
    /// Makes the message `name` from a record. Names in `fields` that this record does not have are left alone: see [`models`].
    ///
    /// # Errors
    /// A rule that names no item or does not fit it; a REDEFINES that no rule decides.
    pub fn build(name: &str, record: &Item, rules: &MessageRules, fields: &Fields) -> Result<MessageModel, LayoutError> {
        let _ = (rules, fields);
        Err(LayoutError::new(format!("{name} {}", record.name), "not yet"))
    }

    /// Name of the protobuf message.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Makes the request and response messages of an operation, `{operation}Request` and `{operation}Response`, with shared field rules.
///
/// # Errors
/// As [`MessageModel::build`], and a rule in `fields` that fits neither record.
pub fn models(
    operation: &str,
    request: (&Item, &MessageRules),
    response: (&Item, &MessageRules),
    fields: &Fields,
) -> Result<(MessageModel, MessageModel), LayoutError> {
    let request = MessageModel::build(&format!("{operation}Request"), request.0, request.1, fields)?;
    let response = MessageModel::build(&format!("{operation}Response"), response.0, response.1, fields)?;
    Ok((request, response))
}
