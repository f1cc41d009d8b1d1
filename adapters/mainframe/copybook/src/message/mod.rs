//! Messages: what of a record a protobuf message shows, under which names and types.

mod area;
mod build;
mod kind;
mod model;
pub(crate) mod names;
mod rules;
#[cfg(test)]
mod tests;
mod view;
mod when;

use std::collections::BTreeMap;

pub use model::MessageModel;
pub(crate) use model::{Area, EnumModel, Field, Kind, Message, Test};
pub use rules::{As, Constant, FieldRules, MessageRules};

use crate::layout::Placement;
use crate::{Item, LayoutError};

/// Rules for fields by COBOL name or dotted path.
pub type Fields = BTreeMap<String, FieldRules>;

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
    let placements = [Placement::of(request.0)?, Placement::of(response.0)?];
    for name in fields.keys() {
        if placements.iter().all(|placement| placement.find_all(name).is_empty()) {
            placements[1].find(name)?;
        }
    }
    let request = MessageModel::build(&format!("{operation}Request"), request.0, request.1, fields)?;
    let response = MessageModel::build(&format!("{operation}Response"), response.0, response.1, fields)?;
    Ok((request, response))
}
