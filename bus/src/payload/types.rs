//! The type that a message has in FEEL.

use std::sync::Arc;

use passerelle_feel::Type;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::well_known::{Single, single};

/// The type of a message's value. Where a message contains itself, the inner one is a context whose entries are not told.
#[must_use]
pub fn type_of(message: &MessageDescriptor) -> Type {
    of_message(message, &mut Vec::new())
}

fn of_message(message: &MessageDescriptor, around: &mut Vec<MessageDescriptor>) -> Type {
    if let Some(single) = single(message) {
        return of_single(single);
    }
    if around.contains(message) {
        return Type::Simple("context");
    }
    around.push(message.clone());
    let entries = message.fields().map(|field| (Arc::from(field.name()), of_field(&field, around))).collect();
    around.pop();
    Type::Context(Arc::new(entries))
}

fn of_field(field: &FieldDescriptor, around: &mut Vec<MessageDescriptor>) -> Type {
    if field.is_map() {
        return Type::Simple("context");
    }
    let one = match field.kind() {
        Kind::Bool => Type::Simple("boolean"),
        Kind::String | Kind::Bytes => Type::Simple("string"),
        // A value that has no name is a number, a number that is none a text.
        Kind::Enum(_) | Kind::Float | Kind::Double => Type::Any,
        Kind::Message(message) => of_message(&message, around),
        _ => Type::Simple("number"),
    };
    if field.is_list() { Type::List(Arc::new(one)) } else { one }
}

fn of_single(single: Single) -> Type {
    Type::Simple(match single {
        Single::Timestamp => "date and time",
        Single::Duration => "days and time duration",
        Single::Decimal => "number",
        Single::Interval => "range",
        Single::Struct | Single::Any | Single::Money => "context",
        Single::ListValue => "list",
        // Whatever is in it; a context, where parts are missing.
        Single::Wrapper | Single::Value | Single::Date | Single::TimeOfDay | Single::DateTime => return Type::Any,
    })
}
