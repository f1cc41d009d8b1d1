//! The features in force at one place: an edition's switches, which proto2 and proto3 fix.

use super::options::FeatureSet;

/// `FeatureSet.FieldPresence`: present even with the default value.
pub(crate) const EXPLICIT: i32 = 1;
/// `FeatureSet.FieldPresence`: exactly one.
pub(crate) const REQUIRED: i32 = 3;
/// `FeatureSet.EnumType`: numbers that are not declared are refused.
pub(crate) const CLOSED: i32 = 2;
/// `FeatureSet.MessageEncoding`: between two tags, as groups were.
pub(crate) const DELIMITED: i32 = 2;
/// `FeatureSet.JsonFormat`: must be writable as JSON.
pub(crate) const JSON_ALLOWED: i32 = 1;
/// `FeatureSet.Utf8Validation`: checked.
pub(crate) const VERIFY: i32 = 2;
/// `FeatureSet.Utf8Validation`: not checked.
const UNVERIFIED: i32 = 3;
/// `JavaFeatures.Utf8Validation`: checked, whatever the feature of the language-neutral name says.
pub(crate) const JAVA_VERIFY: i32 = 2;
/// `CppFeatures.StringType`: `std::string`.
pub(crate) const CPP_STRING: i32 = 3;
/// `CppFeatures.StringType`: `absl::string_view`.
const CPP_VIEW: i32 = 1;

/// `Edition` number of edition 2024.
pub(crate) const EDITION_2024: i32 = 1001;

/// Which language a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `proto2`, also when nothing is said.
    Proto2,
    /// `proto3`.
    Proto3,
    /// An edition, by its number (`google.protobuf.Edition`).
    Edition(i32),
}

impl Syntax {
    /// What a file says. One edition may follow another: what changes with it shows in the features.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Proto2 => "proto2",
            Self::Proto3 => "proto3",
            Self::Edition(_) => "editions",
        }
    }
}

/// Features, all decided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Features {
    pub(crate) presence: i32,
    pub(crate) enum_type: i32,
    pub(crate) utf8: i32,
    pub(crate) encoding: i32,
    pub(crate) json: i32,
    pub(crate) cpp_string: i32,
    pub(crate) java_utf8: i32,
}

impl Features {
    /// What a language begins with (`google.protobuf.FeatureSet` and its `edition_defaults`).
    pub(crate) fn of(syntax: Syntax) -> Self {
        let edition = Self {
            presence: EXPLICIT,
            enum_type: 1,
            utf8: VERIFY,
            encoding: 1,
            json: JSON_ALLOWED,
            cpp_string: CPP_STRING,
            java_utf8: 1,
        };
        match syntax {
            Syntax::Proto2 => Self { enum_type: CLOSED, utf8: UNVERIFIED, json: 2, ..edition },
            Syntax::Proto3 => Self { presence: 2, ..edition },
            Syntax::Edition(number) if number >= EDITION_2024 => Self { cpp_string: CPP_VIEW, ..edition },
            Syntax::Edition(_) => edition,
        }
    }

    /// With what an inner place sets.
    pub(crate) fn overridden(self, set: Option<FeatureSet>) -> Self {
        let set = set.unwrap_or_default();
        Self {
            presence: set.field_presence.unwrap_or(self.presence),
            enum_type: set.enum_type.unwrap_or(self.enum_type),
            utf8: set.utf8_validation.unwrap_or(self.utf8),
            encoding: set.message_encoding.unwrap_or(self.encoding),
            json: set.json_format.unwrap_or(self.json),
            cpp_string: set.cpp.and_then(|cpp| cpp.string_type).unwrap_or(self.cpp_string),
            java_utf8: set.java.and_then(|java| java.utf8_validation).unwrap_or(self.java_utf8),
        }
    }
}
