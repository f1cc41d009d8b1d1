//! From descriptors as they were handed in to a [`Schema`].

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use prost::{DecodeError, Message as _};

use super::super::super::image::raw::{
    self, EnumType, Field as FieldType, LABEL_REPEATED, LABEL_REQUIRED, MessageType, TYPE_GROUP, TYPE_MESSAGE, options,
};
use super::super::super::image::{Image, ImageError, usual_json_name};
use super::features::{DELIMITED, EDITION_2024, EXPLICIT, Features, JAVA_VERIFY, REQUIRED, Syntax, VERIFY};
use super::options::{EnumOptions, FeatureSet, FieldOptions, FileOptions, MessageOptions, MethodOptions, OneofOptions, Range};
use super::places::{Place, Places};
use super::{Cardinality, CppString, Enum, Field, FieldPlaces, File, Message, Method, Reserved, Schema, Service, Site};

/// Reads all files of an image.
pub(super) fn schema(image: &Image) -> Result<Schema, ImageError> {
    let mut schema = Schema::default();
    for file in image.files() {
        let malformed = |error: DecodeError| ImageError::Malformed {
            file: file.name.clone(),
            place: "options".to_owned(),
            reason: error.to_string(),
        };
        let raw = raw::File::decode(file.bytes.as_ref()).map_err(malformed)?;
        Reader::read(&raw, &mut schema).map_err(malformed)?;
    }
    Ok(schema)
}

struct Reader<'a> {
    schema: &'a mut Schema,
    name: &'a str,
    package: &'a str,
    syntax: Syntax,
    java_check: Option<bool>,
    places: &'a Places,
}

/// Where a declaration stands: the message around it, and the way to it in the file's descriptor.
struct Scope<'a> {
    /// Nested name with a dot at its end; empty outside of messages.
    prefix: &'a str,
    features: Features,
    /// Where the map field is that made the entry around, which stands nowhere itself.
    map_place: Option<&'a Place>,
}

impl<'a> Reader<'a> {
    fn read(raw: &'a raw::File, schema: &'a mut Schema) -> Result<(), DecodeError> {
        let written: FileOptions = options(&raw.options)?;
        let syntax = match (raw.syntax.as_deref(), raw.edition) {
            (Some("proto3"), _) => Syntax::Proto3,
            (Some("editions"), edition) => Syntax::Edition(edition.unwrap_or_default()),
            _ => Syntax::Proto2,
        };
        let places = Places::of(&raw.source_code_info)?;
        let features = Features::of(syntax).overridden(written.features);
        let package = raw.package.as_deref().unwrap_or_default();
        let java_check = written.java_string_check_utf8;
        let mut reader = Reader { schema, name: raw.name(), package, syntax, java_check, places: &places };
        let scope = Scope { prefix: "", features, map_place: None };
        for (index, message) in raw.message_type.iter().enumerate() {
            reader.message(message, &scope, &[4, index as i32])?;
        }
        for (index, item) in raw.enum_type.iter().enumerate() {
            reader.enumeration(item, &scope, &[5, index as i32])?;
        }
        for (index, service) in raw.service.iter().enumerate() {
            reader.service(service, &[6, index as i32])?;
        }
        for (index, extension) in raw.extension.iter().enumerate() {
            reader.extension(extension, &scope, &[7, index as i32])?;
        }
        let file = File { name: raw.name().to_owned(), package: package.to_owned(), syntax, options: written, places };
        schema.files.insert(file.name.clone(), file);
        Ok(())
    }

    fn place(&self, path: &[i32], part: &[i32]) -> Option<Place> {
        self.places.find(self.name, &[path, part].concat())
    }

    fn site(&self, scope: &Scope<'_>, name: Option<&str>, path: &[i32]) -> Site {
        let nested_name = format!("{}{}", scope.prefix, name.unwrap_or_default());
        let dot = if self.package.is_empty() { "" } else { "." };
        Site {
            full_name: format!("{}{dot}{nested_name}", self.package),
            nested_name,
            package: self.package.to_owned(),
            file: self.name.to_owned(),
            place: self.place(path, &[]).or_else(|| scope.map_place.cloned()),
        }
    }

    fn message(&mut self, raw: &MessageType, scope: &Scope<'_>, path: &[i32]) -> Result<(), DecodeError> {
        let written: MessageOptions = options(&raw.options)?;
        let features = scope.features.overridden(written.features);
        let site = self.site(scope, raw.name.as_deref(), path);
        let prefix = format!("{}.", site.nested_name);
        let inner = Scope { prefix: &prefix, features, map_place: site.place.as_ref().filter(|_| is_entry(&written)) };
        let entries = self.entries(raw, &site.full_name, path)?;
        let mut fields = BTreeMap::new();
        let oneofs = oneofs(raw)?;
        for (index, field) in raw.field.iter().enumerate() {
            let path = [path, &[2, index as i32]].concat();
            let oneof = field.oneof_index.and_then(|index| oneofs.get(usize::try_from(index).ok()?));
            let features = oneof.map_or(features, |(_, _, set)| features.overridden(*set));
            let is_map = entries.contains_key(type_name(field.type_name.as_deref()));
            let around = Around { message: &site.full_name, is_map, in_map_entry: is_entry(&written), is_extension: false };
            let mut field = self.field(field, &Scope { features, ..inner }, &path, &around)?;
            field.oneof = oneof.filter(|(_, synthetic, _)| !synthetic).map(|(name, ..)| name.clone());
            fields.insert(field.number, field);
        }
        for (index, nested) in raw.nested_type.iter().enumerate() {
            let map_place = entries.get(&format!("{}.{}", site.full_name, nested.name.as_deref().unwrap_or_default()));
            let scope = Scope { map_place: map_place.and_then(Option::as_ref), ..inner };
            self.message(nested, &scope, &[path, &[3, index as i32]].concat())?;
        }
        for (index, item) in raw.enum_type.iter().enumerate() {
            self.enumeration(item, &inner, &[path, &[4, index as i32]].concat())?;
        }
        for (index, extension) in raw.extension.iter().enumerate() {
            self.extension(extension, &inner, &[path, &[6, index as i32]].concat())?;
        }
        let message = Message {
            fields,
            oneofs: oneofs.into_iter().filter(|(_, synthetic, _)| !synthetic).map(|(name, ..)| name).collect(),
            reserved: Reserved { ranges: ranges(&raw.reserved_range, 1)?, names: raw.reserved_name.clone() },
            extension_ranges: ranges(&raw.extension_range, 1)?,
            json_format: features.json,
            json_format_place: self.place(path, &[7, 12, 6]),
            no_accessor: written.no_standard_descriptor_accessor.unwrap_or_default(),
            no_accessor_place: self.place(path, &[7, 2]),
            site,
        };
        self.schema.messages.insert(message.site.full_name.clone(), message);
        Ok(())
    }

    /// The map entries among a message's nested types, by full name, with the place of the field that made them.
    fn entries(&self, raw: &MessageType, full_name: &str, path: &[i32]) -> Result<HashMap<String, Option<Place>>, DecodeError> {
        let mut entries = HashMap::new();
        for nested in &raw.nested_type {
            if is_entry(&options(&nested.options)?) {
                let name = format!("{full_name}.{}", nested.name.as_deref().unwrap_or_default());
                let field = raw.field.iter().position(|field| type_name(field.type_name.as_deref()) == name);
                let place = field.and_then(|index| self.place(path, &[2, index as i32]));
                entries.insert(name, place);
            }
        }
        Ok(entries)
    }

    fn extension(&mut self, raw: &FieldType, scope: &Scope<'_>, path: &[i32]) -> Result<(), DecodeError> {
        let extended = type_name(raw.extendee.as_deref()).to_owned();
        let around = Around { message: &extended, is_map: false, in_map_entry: false, is_extension: true };
        let extension = self.field(raw, scope, path, &around)?;
        self.schema.extensions.insert((extended, extension.number), extension);
        Ok(())
    }

    fn field(&self, raw: &FieldType, scope: &Scope<'_>, path: &[i32], around: &Around<'_>) -> Result<Field, DecodeError> {
        let written: FieldOptions = options(&raw.options)?;
        let features = scope.features.overridden(written.features);
        let site = self.site(scope, raw.name.as_deref(), path);
        let type_name = type_name(raw.type_name.as_deref()).to_owned();
        let written_type = raw.r#type.unwrap_or_default();
        let delimited = features.encoding == DELIMITED && !around.is_map && !around.in_map_entry;
        let kind = if written_type == TYPE_MESSAGE && delimited { TYPE_GROUP } else { written_type };
        let part = |part: &[i32]| self.place(path, part).or_else(|| scope.map_place.cloned());
        let option = |part: &[i32]| self.place(path, part);
        let places = FieldPlaces {
            name: part(&[1]),
            r#type: part(&[5]),
            type_name: part(&[6]),
            default: option(&[7]),
            json_name: option(&[10]),
            ctype: option(&[8, 1]),
            jstype: option(&[8, 6]),
            utf8: option(&[8, 21, 4]),
            cpp_string: option(&[8, 21, 1000, 2]),
            java_utf8: option(&[8, 21, 1001, 2]),
        };
        let in_oneof = raw.oneof_index.is_some();
        Ok(Field {
            name: raw.name().to_owned(),
            number: raw.number.unwrap_or_default(),
            message: around.message.to_owned(),
            is_extension: around.is_extension,
            in_map_entry: around.in_map_entry,
            kind,
            written_type,
            type_name,
            cardinality: self.cardinality(raw, kind, features, around, in_oneof),
            json_name: raw.json_name.clone().unwrap_or_else(|| usual_json_name(raw.name())),
            default: raw.default_value.clone(),
            oneof: None,
            jstype: written.jstype.unwrap_or_default(),
            cpp_string: self.cpp_string(&written, features),
            utf8: features.utf8,
            java_verifies_utf8: self.java_verifies(features),
            places,
            site,
        })
    }

    fn cardinality(&self, raw: &FieldType, kind: i32, features: Features, around: &Around<'_>, in_oneof: bool) -> Cardinality {
        let is_message = matches!(kind, TYPE_MESSAGE | TYPE_GROUP);
        let is_edition = matches!(self.syntax, Syntax::Edition(_));
        match raw.label {
            _ if around.is_map => Cardinality::Map,
            Some(LABEL_REPEATED) => Cardinality::Repeated,
            Some(LABEL_REQUIRED) => Cardinality::Required,
            _ if is_edition && features.presence == REQUIRED && !around.is_extension && !in_oneof => Cardinality::Required,
            _ if is_message || in_oneof || around.is_extension || features.presence == EXPLICIT => Cardinality::Explicit,
            _ => Cardinality::Implicit,
        }
    }

    fn cpp_string(&self, written: &FieldOptions, features: Features) -> CppString {
        let by_option = match self.syntax {
            Syntax::Edition(number) if number >= EDITION_2024 => None,
            _ => written.ctype,
        };
        match by_option {
            Some(1) => CppString::Type(2),
            Some(2) => CppString::Piece,
            Some(0) => CppString::STRING,
            _ => CppString::Type(features.cpp_string),
        }
    }

    /// The file's option decides outside of editions, and in them where it is written.
    fn java_verifies(&self, features: Features) -> bool {
        let own = match (self.syntax, self.java_check) {
            (Syntax::Edition(_), None) => features.java_utf8 == JAVA_VERIFY,
            (_, check) => check.unwrap_or_default(),
        };
        own || features.utf8 == VERIFY
    }

    fn enumeration(&mut self, raw: &EnumType, scope: &Scope<'_>, path: &[i32]) -> Result<(), DecodeError> {
        let written: EnumOptions = options(&raw.options)?;
        let features = scope.features.overridden(written.features);
        let mut values: BTreeMap<i32, BTreeMap<String, Option<Place>>> = BTreeMap::new();
        for (index, value) in raw.value.iter().enumerate() {
            let place = self.place(path, &[2, index as i32, 2]);
            values.entry(value.number.unwrap_or_default()).or_default().insert(value.name.clone().unwrap_or_default(), place);
        }
        let item = Enum {
            site: self.site(scope, raw.name.as_deref(), path),
            enum_type: features.enum_type,
            enum_type_place: self.place(path, &[3, 7, 2]),
            json_format: features.json,
            json_format_place: self.place(path, &[3, 7, 6]),
            values,
            first: raw.value.first().and_then(|value| value.number).unwrap_or_default(),
            reserved: Reserved { ranges: ranges(&raw.reserved_range, 0)?, names: raw.reserved_name.clone() },
        };
        self.schema.enums.insert(item.site.full_name.clone(), item);
        Ok(())
    }

    fn service(&mut self, raw: &raw::Service, path: &[i32]) -> Result<(), DecodeError> {
        let scope = Scope { prefix: "", features: Features::of(self.syntax), map_place: None };
        let site = self.site(&scope, raw.name.as_deref(), path);
        let mut methods = BTreeMap::new();
        for (index, method) in raw.method.iter().enumerate() {
            let path = [path, &[2, index as i32]].concat();
            let written: MethodOptions = options(&method.options)?;
            let method = Method {
                name: method.name.clone().unwrap_or_default(),
                input: type_name(method.input_type.as_deref()).to_owned(),
                output: type_name(method.output_type.as_deref()).to_owned(),
                client_streaming: method.client_streaming.unwrap_or_default(),
                server_streaming: method.server_streaming.unwrap_or_default(),
                idempotency: written.idempotency_level.unwrap_or_default(),
                place: self.place(&path, &[]),
                input_place: self.place(&path, &[2]),
                output_place: self.place(&path, &[3]),
                idempotency_place: self.place(&path, &[4, 34]),
            };
            methods.insert(method.name.clone(), method);
        }
        self.schema.services.insert(site.full_name.clone(), Service { site, methods });
        Ok(())
    }
}

/// What a field stands in.
struct Around<'a> {
    message: &'a str,
    is_map: bool,
    in_map_entry: bool,
    is_extension: bool,
}

fn is_entry(options: &MessageOptions) -> bool {
    options.map_entry.unwrap_or_default()
}

/// Names of types are fully qualified by every compiler, with a dot in front.
fn type_name(name: Option<&str>) -> &str {
    name.unwrap_or_default().trim_start_matches('.')
}

/// Each oneof's name, whether proto3's `optional` made it, and its features.
fn oneofs(raw: &MessageType) -> Result<Vec<(String, bool, Option<FeatureSet>)>, DecodeError> {
    let synthetic = |place: usize| {
        raw.field.iter().any(|field| field.proto3_optional == Some(true) && field.oneof_index == i32::try_from(place).ok())
    };
    let oneofs = raw.oneof_decl.iter().enumerate();
    oneofs
        .map(|(place, oneof)| {
            let written: OneofOptions = options(&oneof.options)?;
            Ok((oneof.name.clone().unwrap_or_default(), synthetic(place), written.features))
        })
        .collect()
}

/// `beyond` is how far the written end lies beyond the last number.
fn ranges(raw: &[Vec<u8>], beyond: i32) -> Result<Vec<RangeInclusive<i32>>, DecodeError> {
    let range = |bytes: &Vec<u8>| {
        let Range { start, end } = Range::decode(bytes.as_slice())?;
        Ok(start.unwrap_or_default()..=end.unwrap_or_default().saturating_sub(beyond))
    };
    raw.iter().map(range).collect()
}
