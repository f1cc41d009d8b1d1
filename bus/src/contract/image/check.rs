//! What a descriptor must hold before the descriptor library may see it.
//!
//! The library trusts that a compiler made the descriptors, and panics on some that none would make. Those are refused
//! here, by name: anyone may hand in bytes.

use super::ImageError;
use super::raw::{
    EnumType, Field, File, LABEL_OPTIONAL, LABEL_REPEATED, MessageOptions, MessageType, Service, TYPE_GROUP, TYPE_MESSAGE,
    options,
};

/// Types a map's key may have (`FieldDescriptorProto.Type`): the integers, bool and string.
const KEY_TYPES: [i32; 12] = [3, 4, 5, 6, 7, 8, 9, 13, 15, 16, 17, 18];
/// `FieldDescriptorProto.Type` of an enum.
const TYPE_ENUM: i32 = 14;

/// Checks one file.
pub(crate) fn check(file: &File) -> Result<(), ImageError> {
    let checker = Checker { file: file.name() };
    let package = file.package.as_deref().unwrap_or_default();
    if !package.is_empty() && !package.split('.').all(is_identifier) {
        return Err(checker.refuse(package, "is no package name"));
    }
    for message in &file.message_type {
        checker.message(package, message)?;
    }
    for item in &file.enum_type {
        checker.enumeration(package, item)?;
    }
    for field in &file.extension {
        checker.field(package, field)?;
    }
    for service in &file.service {
        checker.service(package, service)?;
    }
    Ok(())
}

struct Checker<'a> {
    file: &'a str,
}

impl Checker<'_> {
    fn message(&self, scope: &str, message: &MessageType) -> Result<(), ImageError> {
        let place = self.name(scope, message.name.as_deref())?;
        for field in message.field.iter().chain(&message.extension) {
            self.field(&place, field)?;
        }
        for oneof in &message.oneof_decl {
            self.name(&place, oneof.name.as_deref())?;
        }
        for nested in &message.nested_type {
            self.message(&place, nested)?;
        }
        for item in &message.enum_type {
            self.enumeration(&place, item)?;
        }
        let known: MessageOptions = options(&message.options).map_err(|error| self.refuse(&place, &error.to_string()))?;
        if known.map_entry == Some(true) { self.map_entry(&place, message) } else { Ok(()) }
    }

    fn field(&self, scope: &str, field: &Field) -> Result<(), ImageError> {
        let place = self.name(scope, field.name.as_deref())?;
        if !(LABEL_OPTIONAL..=LABEL_REPEATED).contains(&field.label.unwrap_or(LABEL_OPTIONAL)) {
            return Err(self.refuse(&place, "has a label that is not optional, required or repeated"));
        }
        let named = field.type_name.as_deref().is_some_and(|name| !name.is_empty());
        let takes_name = |code| matches!(code, TYPE_GROUP | TYPE_MESSAGE | TYPE_ENUM);
        match field.r#type {
            Some(code) if !(1..=18).contains(&code) => {
                Err(self.refuse(&place, &format!("has type {code}, which does not exist")))
            }
            Some(code) if takes_name(code) != named => {
                Err(self.refuse(&place, "has a type and a type name that do not go together"))
            }
            None if !named => Err(self.refuse(&place, "has no type")),
            _ => Ok(()),
        }
    }

    fn map_entry(&self, place: &str, message: &MessageType) -> Result<(), ImageError> {
        let fits = match message.field.as_slice() {
            [key, value] => {
                let key_fits = key.name.as_deref() == Some("key") && key.r#type.is_some_and(|code| KEY_TYPES.contains(&code));
                let value_fits = value.name.as_deref() == Some("value") && value.r#type != Some(TYPE_GROUP);
                let numbers = (key.number, value.number) == (Some(1), Some(2));
                let single = [key, value].iter().all(|field| field.label.unwrap_or(LABEL_OPTIONAL) == LABEL_OPTIONAL);
                key_fits && value_fits && numbers && single && message.oneof_decl.is_empty()
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.refuse(place, "is marked as a map entry but has not just a key = 1 and a value = 2")) }
    }

    fn enumeration(&self, scope: &str, item: &EnumType) -> Result<(), ImageError> {
        self.name(scope, item.name.as_deref())?;
        item.value.iter().try_for_each(|value| self.name(scope, value.name.as_deref()).map(drop))
    }

    fn service(&self, scope: &str, service: &Service) -> Result<(), ImageError> {
        let place = self.name(scope, service.name.as_deref())?;
        service.method.iter().try_for_each(|method| self.name(&place, method.name.as_deref()).map(drop))
    }

    fn name(&self, scope: &str, name: Option<&str>) -> Result<String, ImageError> {
        let name = name.unwrap_or_default();
        let place = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
        if is_identifier(name) {
            Ok(place)
        } else {
            Err(self.refuse(&place, "is no name: letters, digits and _ only, not empty"))
        }
    }

    fn refuse(&self, place: &str, reason: &str) -> ImageError {
        ImageError::Malformed { file: self.file.to_owned(), place: place.to_owned(), reason: reason.to_owned() }
    }
}

fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
