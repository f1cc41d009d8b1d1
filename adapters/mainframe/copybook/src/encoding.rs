//! How a host writes its records: the `codec:` section of an integrator's file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::CodePage;

/// How a host writes its records. Every option stands for a decision that only the host's owners can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Encoding {
    /// Code page of text and of DISPLAY numbers.
    pub code_page: CodePage,
    /// Byte order of COMP, COMP-4, BINARY and COMP-5 items.
    pub binary: ByteOrder,
    /// Which values a COMP, COMP-4 or BINARY item takes when a record is written (when one is read, all that its bytes hold are kept).
    pub binary_range: BinaryRange,
    /// What stands for a numeric item that is all spaces or all low-values. Other bytes that are no number are always an error.
    pub invalid_numeric: InvalidNumeric,
    /// Where the items behind a table with OCCURS DEPENDING ON lie.
    pub odo: OccursDepending,
    /// What may follow the last item of a record that is read.
    pub trailing_bytes: TrailingBytes,
}

/// Byte order of binary items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ByteOrder {
    /// Most significant byte first, as on z/OS and IBM i.
    #[default]
    Big,
    /// Least significant byte first, as on x86 hosts.
    Little,
}

/// Values accepted for binary items with a decimal picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BinaryRange {
    /// What the picture's digits can say (compiler option TRUNC(STD)).
    #[default]
    Picture,
    /// What the bytes can hold (compiler option TRUNC(BIN)).
    Full,
}

/// What stands for a numeric item that was never filled: all spaces or all low-values where these are no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvalidNumeric {
    /// The record is refused.
    #[default]
    Error,
    /// The item counts as zero.
    Zero,
    /// The field is left out of the message (for a table's element, which cannot be left out, zero).
    Absent,
}

/// Where the items behind a table with OCCURS DEPENDING ON lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OccursDepending {
    /// Right behind the last element in use: they slide with the counter.
    #[default]
    Slide,
    /// Behind the room for the greatest number of elements, always.
    Fixed,
}

/// What may follow the last item of a record that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrailingBytes {
    /// Padding: low-values and spaces only.
    #[default]
    Padding,
    /// Anything, up to the longest length of the record; what lies beyond must be padding. For hosts that send unused table elements.
    Unused,
    /// Nothing.
    Error,
}
