//! Which fields hold personal data, as their contract declares it.

use std::collections::HashSet;

use passerelle_proto::{DataClass, PersonalData};
use prost::Message as _;
use prost_reflect::{DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};

/// `google.protobuf.FieldOptions.debug_redact`: kept out of what people see.
const DEBUG_REDACT: u32 = 16;
/// `(passerelle.personal)`.
const PERSONAL: u32 = 50611;

/// What is done with the values of a personal field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Another value of the same shape, the same for equal values.
    Replaced,
    /// The default value: secrets, and the special categories of data, are not even told to be equal.
    Removed,
}

/// The treatment that a field's options ask for: `debug_redact` or `(passerelle.personal)`.
pub fn treatment(field: &FieldDescriptor) -> Option<Treatment> {
    declared(&field.options())
}

/// As [`treatment`], of an extension.
pub(super) fn treatment_of_extension(extension: &ExtensionDescriptor) -> Option<Treatment> {
    declared(&extension.options())
}

fn declared(options: &DynamicMessage) -> Option<Treatment> {
    match class(options) {
        Some(DataClass::Secret | DataClass::Special) => Some(Treatment::Removed),
        Some(_) => Some(Treatment::Replaced),
        None => is_debug_redact(options).then_some(Treatment::Replaced),
    }
}

/// The class of personal data; unspecified where it cannot be read.
fn class(options: &DynamicMessage) -> Option<DataClass> {
    let known = options.extensions().find(|(extension, _)| extension.number() == PERSONAL).map(|(_, value)| value.clone());
    // An image without the file that declares the option still carries it.
    let unknown = || options.unknown_fields().find(|field| field.number() == PERSONAL);
    match known {
        Some(Value::Message(personal)) => {
            let personal = PersonalData::decode(personal.encode_to_vec().as_slice()).unwrap_or_default();
            Some(personal.class())
        }
        Some(_) => Some(DataClass::Unspecified),
        None => unknown().map(|_| DataClass::Unspecified),
    }
}

fn is_debug_redact(options: &DynamicMessage) -> bool {
    let known = options.get_field_by_number(DEBUG_REDACT).and_then(|value| value.as_bool());
    // Descriptors older than the option do not know it.
    known.unwrap_or_else(|| options.unknown_fields().any(|field| field.number() == DEBUG_REDACT))
}

/// What is personal in a message and all that it may hold.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Full names of personal fields, in the order in which they are met.
    pub(super) fields: Vec<String>,
    /// Whether it may hold messages of any type.
    pub(super) holds_any: bool,
    seen: HashSet<String>,
}

impl Survey {
    /// Looks at a message's type.
    pub(super) fn look(&mut self, message: &MessageDescriptor) {
        if !self.seen.insert(message.full_name().to_owned()) {
            return;
        }
        self.holds_any |= message.full_name() == "google.protobuf.Any";
        for field in message.fields() {
            self.found(field.full_name(), treatment(&field), &field.kind());
        }
        for extension in message.extensions() {
            self.found(extension.full_name(), treatment_of_extension(&extension), &extension.kind());
        }
    }

    /// Whether nothing in it can be personal.
    pub(super) fn is_clear(&self) -> bool {
        self.fields.is_empty() && !self.holds_any
    }

    fn found(&mut self, name: &str, treatment: Option<Treatment>, kind: &Kind) {
        if treatment.is_some() {
            self.fields.push(name.to_owned());
        } else if let Kind::Message(inner) = kind {
            self.look(inner);
        }
    }
}
