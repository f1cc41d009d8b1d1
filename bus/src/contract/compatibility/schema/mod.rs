//! What an image declares, in the form that rules compare: every element by its full name, with its place in the source.

mod features;
mod options;
mod places;
mod read;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

pub(super) use features::{CLOSED, JSON_ALLOWED, VERIFY};
pub(super) use options::FileOptions;
pub use places::Place;

use features::Syntax;
use places::Places;

use super::super::image::{Image, ImageError};

/// All that an image declares, its imports included.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) files: BTreeMap<String, File>,
    pub(super) messages: BTreeMap<String, Message>,
    pub(super) enums: BTreeMap<String, Enum>,
    pub(super) services: BTreeMap<String, Service>,
    /// By what they extend and their number.
    pub(super) extensions: BTreeMap<(String, i32), Field>,
}

impl Schema {
    /// Reads the files of an image as they were handed in, editions included.
    ///
    /// # Errors
    /// Options that do not decode; everything else was checked when the image was decoded.
    pub(super) fn of(image: &Image) -> Result<Self, ImageError> {
        read::schema(image)
    }
}

/// A `.proto` file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) package: String,
    pub(super) syntax: Syntax,
    pub(super) options: FileOptions,
    places: Places,
}

impl File {
    /// Where the syntax, package or option with that descriptor path is written.
    pub(super) fn place(&self, path: &[i32]) -> Option<Place> {
        self.places.find(&self.name, path)
    }
}

/// Where an element stands: its names, its file, and the source lines of it and of its parts.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// Full name: `bank.v1.Account.Kind`.
    pub(super) full_name: String,
    /// Without the package: `Account.Kind`.
    pub(super) nested_name: String,
    pub(super) package: String,
    pub(super) file: String,
    /// The element itself.
    pub(super) place: Option<Place>,
}

/// A message, a map's entry included.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) site: Site,
    pub(super) fields: BTreeMap<i32, Field>,
    /// Those that are written, not those that proto3's `optional` makes.
    pub(super) oneofs: Vec<String>,
    pub(super) reserved: Reserved,
    pub(super) extension_ranges: Vec<RangeInclusive<i32>>,
    pub(super) json_format: i32,
    pub(super) json_format_place: Option<Place>,
    pub(super) no_accessor: bool,
    pub(super) no_accessor_place: Option<Place>,
}

/// What a message or an enum keeps free.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    pub(super) ranges: Vec<RangeInclusive<i32>>,
    pub(super) names: Vec<String>,
}

impl Reserved {
    pub(super) fn has_number(&self, number: i32) -> bool {
        self.ranges.iter().any(|range| range.contains(&number))
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.iter().any(|reserved| reserved == name)
    }
}

/// A field, or an extension.
#[derive(Debug)]
pub(super) struct Field {
    /// Of an extension; a field's is that of its message and its own.
    pub(super) site: Site,
    pub(super) name: String,
    pub(super) number: i32,
    /// The message that has the field: for an extension, the one that is extended.
    pub(super) message: String,
    pub(super) is_extension: bool,
    pub(super) in_map_entry: bool,
    /// `FieldDescriptorProto.Type`; a message between two tags is a group, however it was written.
    pub(super) kind: i32,
    /// As it was written.
    pub(super) written_type: i32,
    /// Of a message or an enum, without a leading dot.
    pub(super) type_name: String,
    pub(super) cardinality: Cardinality,
    pub(super) json_name: String,
    pub(super) default: Option<String>,
    pub(super) oneof: Option<String>,
    pub(super) jstype: i32,
    pub(super) cpp_string: CppString,
    pub(super) utf8: i32,
    pub(super) java_verifies_utf8: bool,
    pub(super) places: FieldPlaces,
}

/// Where the parts of a field are written; `None` where they are not.
#[derive(Debug, Default)]
pub(super) struct FieldPlaces {
    pub(super) name: Option<Place>,
    pub(super) r#type: Option<Place>,
    pub(super) type_name: Option<Place>,
    pub(super) default: Option<Place>,
    pub(super) json_name: Option<Place>,
    pub(super) ctype: Option<Place>,
    pub(super) jstype: Option<Place>,
    pub(super) utf8: Option<Place>,
    pub(super) cpp_string: Option<Place>,
    pub(super) java_utf8: Option<Place>,
}

/// How many values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cardinality {
    /// One or none, and it is known which.
    Explicit,
    /// One; the default value is the same as none.
    Implicit,
    Required,
    Repeated,
    Map,
}

impl Cardinality {
    /// As people know it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Explicit => "optional with explicit presence",
            Self::Implicit => "optional with implicit presence",
            Self::Required => "required",
            Self::Repeated => "repeated",
            Self::Map => "a map",
        }
    }
}

/// How C++ holds a string: `CppFeatures.StringType`, or the old `STRING_PIECE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CppString {
    Piece,
    Type(i32),
}

impl CppString {
    pub(super) const STRING: Self = Self::Type(features::CPP_STRING);

    /// As people know it.
    pub(super) fn name(self) -> String {
        match self {
            Self::Piece => "STRING_PIECE".to_owned(),
            Self::Type(1) => "VIEW".to_owned(),
            Self::Type(2) => "CORD".to_owned(),
            Self::Type(3) => "STRING".to_owned(),
            Self::Type(number) => format!("type {number}"),
        }
    }
}

/// An enum.
#[derive(Debug)]
pub(super) struct Enum {
    pub(super) site: Site,
    pub(super) enum_type: i32,
    pub(super) enum_type_place: Option<Place>,
    pub(super) json_format: i32,
    pub(super) json_format_place: Option<Place>,
    /// By number, then name; an alias is a second name of a number. With where the number is written.
    pub(super) values: BTreeMap<i32, BTreeMap<String, Option<Place>>>,
    /// Number of the value that stands first: the default.
    pub(super) first: i32,
    pub(super) reserved: Reserved,
}

/// A service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) site: Site,
    pub(super) methods: BTreeMap<String, Method>,
}

/// A method.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) name: String,
    pub(super) input: String,
    pub(super) output: String,
    pub(super) client_streaming: bool,
    pub(super) server_streaming: bool,
    pub(super) idempotency: i32,
    pub(super) place: Option<Place>,
    pub(super) input_place: Option<Place>,
    pub(super) output_place: Option<Place>,
    pub(super) idempotency_place: Option<Place>,
}
