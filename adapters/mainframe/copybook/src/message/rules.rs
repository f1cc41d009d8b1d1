//! What an integrator writes about a message and its fields.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a message shows of a record: `request:` and `response:` of an operation.
///
/// Items are named by their COBOL name, or by a dotted path of names (`CA-ACC.CA-ACC-NO`) where the name alone is not enough.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageRules {
    /// File of the copybook or program. This crate reads no file: it is for its caller.
    pub copybook: String,
    /// Name of the record in it; may be left out when there is but one (or but one in a program's LINKAGE SECTION).
    #[serde(default)]
    pub record: Option<String>,
    /// Items to show, with all that is subordinate to them; empty: all.
    #[serde(default)]
    pub include: Vec<String>,
    /// Items not to show. When a record is written they hold their VALUE, else spaces, or zeros if numeric.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Constants written into the record; such items are not shown.
    #[serde(default)]
    pub set: BTreeMap<String, Constant>,
    /// Prefix to drop from COBOL names when protobuf names are made of them, for example `CA-`.
    #[serde(default)]
    pub strip_prefix: Option<String>,
}

/// A constant in `set:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Constant {
    /// A whole number.
    Integer(i64),
    /// Text, or a decimal number as text.
    Text(String),
}

/// How one item is shown: an entry of `fields:`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldRules {
    /// Name of the protobuf field, instead of one made from the COBOL name.
    #[serde(default)]
    pub name: Option<String>,
    /// Name of the protobuf message (of a group) or enum, instead of one made from the COBOL name.
    #[serde(default, rename = "type")]
    pub type_name: Option<String>,
    /// Type of the protobuf field, instead of the one chosen by the picture.
    #[serde(default, rename = "as")]
    pub as_type: Option<As>,
    /// Make an enum of the level 88 entries.
    #[serde(default, rename = "enum")]
    pub enum_values: bool,
    /// On an item that others redefine: the one to show, by its name (also its own).
    #[serde(default)]
    pub pick: Option<String>,
    /// On an item that redefines or is redefined: shown when this holds: `FIELD = "C"`, `FIELD in ["C", "D"]`, `FIELD = 7`, or
    /// `otherwise`. The items that share the storage become a `oneof`.
    #[serde(default)]
    pub when: Option<String>,
}

/// Type of a protobuf field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum As {
    /// `string`: text as it is, numbers without decimals with all their leading zeros.
    String,
    /// `bytes`: the bytes of the record, untouched.
    Bytes,
    /// `uint32`, `uint64`, `sint32`, `sint64` by sign and digits: numbers without decimals of at most 18 digits.
    Integer,
    /// `string` with a decimal number: `-12345.67`.
    Decimal,
}
