//! What is lost on the way: fields that no expression reads, and fields that are never set.

use std::sync::Arc;

use passerelle_feel::Shape;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::payload::single;

/// What a translation does not carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loss {
    /// Fields of the message that there is, which no expression reads.
    pub dropped: Vec<String>,
    /// Fields of the message that is made, which are never set.
    pub unset: Vec<String>,
}

/// The fields of a message that are in none of the paths.
pub(super) fn unread(message: &MessageDescriptor, paths: &[Vec<Arc<str>>]) -> Vec<String> {
    let mut lost = Vec::new();
    below(message, paths, "", &mut lost);
    lost
}

fn below(message: &MessageDescriptor, paths: &[Vec<Arc<str>>], around: &str, lost: &mut Vec<String>) {
    if paths.iter().any(Vec::is_empty) {
        return;
    }
    for field in message.fields() {
        let rest: Vec<Vec<Arc<str>>> =
            paths.iter().filter(|path| &*path[0] == field.name()).map(|path| path[1..].to_vec()).collect();
        let name = format!("{around}{}", field.name());
        match inner(&field) {
            _ if rest.is_empty() => lost.push(name),
            Some(message) => below(&message, &rest, &format!("{name}."), lost),
            None => {}
        }
    }
}

/// The fields of a message that a value of this shape never sets.
pub(super) fn unset(message: &MessageDescriptor, shape: &Shape, around: &str, lost: &mut Vec<String>, depth: usize) {
    let entry = |name: &str| match shape {
        Shape::Context(entries) => entries.iter().find(|(entry, _)| &**entry == name).map(|(_, shape)| shape.clone()),
        Shape::Record(schema) => schema.entry(name),
        _ => Some(Shape::Unknown),
    };
    for field in message.fields() {
        let name = format!("{around}{}", field.name());
        match (entry(field.name()), inner(&field)) {
            (None | Some(Shape::Null), _) => lost.push(name),
            // A message that contains itself ends nowhere.
            (Some(shape), Some(message)) if depth > 0 => {
                let shape = if let Shape::List(item) = &shape { (**item).clone() } else { shape };
                unset(&message, &shape, &format!("{name}."), lost, depth - 1);
            }
            _ => {}
        }
    }
}

/// The message in a field, if it is one whose fields count.
fn inner(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if !field.is_map() && single(&message).is_none() => Some(message),
        _ => None,
    }
}
