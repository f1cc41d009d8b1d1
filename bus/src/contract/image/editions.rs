//! Editions written as proto2 or proto3, which is all that the descriptor library knows (on others it panics).
//!
//! An edition is proto2 and proto3 with their differences as switches ("features"), inherited from file to message to
//! field. A file without implicit presence becomes proto2; one with it becomes proto3 whose other fields are `optional`.
//! Enum closedness needs nothing: the decoders here keep unknown numbers either way.
//! Source: protobuf.dev/editions/features, and the defaults of edition 2023, which 2024 left as they were.

use prost::DecodeError;

use super::ImageError;
use super::raw::{
    FeatureSet, Field, FieldOptions, File, FileOptions, LABEL_REPEATED, LABEL_REQUIRED, MessageOptions, MessageType,
    OneofOptions, TYPE_GROUP, TYPE_MESSAGE, options,
};

/// `Edition` numbers of editions 2023 and 2024 (`google.protobuf.Edition`).
const KNOWN: std::ops::RangeInclusive<i32> = 1000..=1001;

const PRESENCE_EXPLICIT: i32 = 1;
const PRESENCE_IMPLICIT: i32 = 2;
const PRESENCE_REQUIRED: i32 = 3;
const REPEATED_PACKED: i32 = 1;
const ENCODING_PREFIXED: i32 = 1;
const ENCODING_DELIMITED: i32 = 2;

/// `FieldOptions.packed`, on the wire.
const PACKED_KEY: u8 = 0x10;
/// `FieldDescriptorProto.Type`s that cannot be packed: string, group, message, bytes.
const UNPACKABLE: [i32; 4] = [9, TYPE_GROUP, TYPE_MESSAGE, 12];

/// The features in force at one place.
#[derive(Clone, Copy)]
struct Features {
    presence: i32,
    repeated: i32,
    encoding: i32,
}

impl Features {
    /// Edition 2023, before any option.
    const DEFAULT: Self = Self { presence: PRESENCE_EXPLICIT, repeated: REPEATED_PACKED, encoding: ENCODING_PREFIXED };

    fn overridden(self, set: Option<FeatureSet>) -> Self {
        let set = set.unwrap_or_default();
        Self {
            presence: set.field_presence.unwrap_or(self.presence),
            repeated: set.repeated_field_encoding.unwrap_or(self.repeated),
            encoding: set.message_encoding.unwrap_or(self.encoding),
        }
    }
}

/// Rewrites `file` if it declares an edition; leaves proto2 and proto3 alone.
pub(crate) fn normalise(file: &mut File) -> Result<(), ImageError> {
    let name = file.name().to_owned();
    match file.syntax.as_deref() {
        None | Some("" | "proto2" | "proto3") => return Ok(()),
        Some("editions") if KNOWN.contains(&file.edition.unwrap_or_default()) => {}
        Some("editions") => return Err(ImageError::UnknownEdition { file: name, edition: edition_name(file.edition) }),
        Some(other) => return Err(ImageError::UnknownEdition { file: name, edition: other.to_owned() }),
    }
    let implicit = rewrite(file).map_err(|error| {
        let place = "options".to_owned();
        ImageError::Malformed { file: name.clone(), place, reason: error.to_string() }
    })?;
    if implicit {
        refuse_what_proto3_cannot(file)?;
    }
    file.syntax = Some(if implicit { "proto3" } else { "proto2" }.to_owned());
    file.edition = None;
    Ok(())
}

/// Whether some field has implicit presence.
fn rewrite(file: &mut File) -> Result<bool, DecodeError> {
    let features = Features::DEFAULT.overridden(options::<FileOptions>(&file.options)?.features);
    let scope = file.package.as_deref().filter(|package| !package.is_empty()).map(|package| format!(".{package}"));
    let mut implicit = false;
    for message in &mut file.message_type {
        implicit |= rewrite_message(message, scope.as_deref().unwrap_or_default(), features)?;
    }
    for extension in &mut file.extension {
        rewrite_extension(extension, features)?;
    }
    Ok(implicit)
}

fn rewrite_message(message: &mut MessageType, scope: &str, outer: Features) -> Result<bool, DecodeError> {
    let own: MessageOptions = options(&message.options)?;
    let features = outer.overridden(own.features);
    let scope = format!("{scope}.{}", message.name.as_deref().unwrap_or_default());
    let oneofs: Vec<Features> = message
        .oneof_decl
        .iter()
        .map(|oneof| Ok(features.overridden(options::<OneofOptions>(&oneof.options)?.features)))
        .collect::<Result<_, DecodeError>>()?;
    let maps = map_entries(message, &scope)?;
    let mut implicit = false;
    for field in &mut message.field {
        let oneof = field.oneof_index.and_then(|index| oneofs.get(usize::try_from(index).ok()?));
        let mut features = *oneof.unwrap_or(&features);
        let is_map = field.type_name.as_ref().is_some_and(|name| maps.contains(name));
        if is_map || own.map_entry == Some(true) {
            // Maps are length-prefixed always, and the fields of an entry have no presence to speak of.
            features = Features { encoding: ENCODING_PREFIXED, presence: PRESENCE_EXPLICIT, ..features };
        }
        implicit |= rewrite_field(field, features, is_map)?;
    }
    for extension in &mut message.extension {
        rewrite_extension(extension, features)?;
    }
    for nested in &mut message.nested_type {
        implicit |= rewrite_message(nested, &scope, features)?;
    }
    Ok(implicit)
}

/// Full names of the map entries declared in `message`; a map field names one of them.
fn map_entries(message: &MessageType, scope: &str) -> Result<Vec<String>, DecodeError> {
    let mut names = Vec::new();
    for nested in &message.nested_type {
        if options::<MessageOptions>(&nested.options)?.map_entry == Some(true) {
            names.push(format!("{scope}.{}", nested.name.as_deref().unwrap_or_default()));
        }
    }
    Ok(names)
}

/// Whether the field has implicit presence.
fn rewrite_field(field: &mut Field, outer: Features, is_map: bool) -> Result<bool, DecodeError> {
    let mut features = outer.overridden(options::<FieldOptions>(&field.options)?.features);
    if is_map {
        features.encoding = ENCODING_PREFIXED;
    }
    if field.r#type == Some(TYPE_MESSAGE) && features.encoding == ENCODING_DELIMITED {
        field.r#type = Some(TYPE_GROUP);
    }
    if field.label == Some(LABEL_REPEATED) {
        write_packed(field, features);
        return Ok(false);
    }
    if features.presence == PRESENCE_REQUIRED {
        field.label = Some(LABEL_REQUIRED);
    }
    let singular_message = matches!(field.r#type, Some(TYPE_MESSAGE | TYPE_GROUP));
    let implicit = features.presence == PRESENCE_IMPLICIT && !singular_message && field.oneof_index.is_none();
    // Read only if the file becomes proto3; proto2 gives every field presence.
    field.proto3_optional = Some(!implicit && field.oneof_index.is_none());
    Ok(implicit)
}

/// Extensions have presence always.
fn rewrite_extension(field: &mut Field, features: Features) -> Result<(), DecodeError> {
    rewrite_field(field, Features { presence: PRESENCE_EXPLICIT, ..features }, false)?;
    field.proto3_optional = None;
    Ok(())
}

fn write_packed(field: &mut Field, features: Features) {
    let packable = field.r#type.is_some_and(|code| !UNPACKABLE.contains(&code));
    if packable {
        field.options.push(vec![PACKED_KEY, u8::from(features.repeated == REPEATED_PACKED)]);
    }
}

/// A proto3 enum starts at 0; an edition's closed enum need not.
fn refuse_what_proto3_cannot(file: &File) -> Result<(), ImageError> {
    let mut enums: Vec<_> = file.enum_type.iter().collect();
    let mut messages: Vec<_> = file.message_type.iter().collect();
    while let Some(message) = messages.pop() {
        enums.extend(&message.enum_type);
        messages.extend(&message.nested_type);
    }
    match enums.iter().find(|item| item.value.first().is_some_and(|value| value.number.unwrap_or_default() != 0)) {
        None => Ok(()),
        Some(item) => Err(ImageError::Unsupported {
            file: file.name().to_owned(),
            reason: format!(
                "enum {} does not start at 0 in a file with fields of implicit presence, which has no form in proto2 or proto3; \
                 give those fields explicit presence, or the enum a file of its own",
                item.name.as_deref().unwrap_or_default()
            ),
        }),
    }
}

fn edition_name(edition: Option<i32>) -> String {
    match edition {
        Some(number) => format!("number {number}"),
        None => "without a number".to_owned(),
    }
}
