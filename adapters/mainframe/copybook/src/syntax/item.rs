//! What a data description says: items, their clauses, and where each was written.

use super::picture::Picture;

/// Place in a source text; both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// One data description entry with what is subordinate to it. Clauses that a group hands down (USAGE, SIGN) are already in place.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    /// Level number, 1 to 49 or 77.
    pub level: u8,
    /// Data name in upper case; `FILLER` when there is none.
    pub name: String,
    /// PICTURE; none for groups and for COMP-1 and COMP-2.
    pub picture: Option<Picture>,
    /// USAGE.
    pub usage: Usage,
    /// SIGN, of signed DISPLAY items.
    pub sign: Sign,
    /// OCCURS.
    pub occurs: Option<Occurs>,
    /// REDEFINES: the name of the item whose storage this one shares.
    pub redefines: Option<String>,
    /// SYNCHRONIZED.
    pub synchronized: bool,
    /// JUSTIFIED RIGHT.
    pub justified_right: bool,
    /// BLANK WHEN ZERO.
    pub blank_when_zero: bool,
    /// VALUE.
    pub value: Option<Literal>,
    /// Level 88 entries.
    pub conditions: Vec<Condition>,
    /// Subordinate items; empty for an elementary item.
    pub children: Vec<Item>,
    /// Section of the DATA DIVISION it was found in, for example `LINKAGE`; empty in a copybook.
    pub section: String,
    /// Where the level number stands.
    pub position: Position,
}

impl Item {
    /// Whether it holds data itself, rather than subordinate items.
    pub fn is_elementary(&self) -> bool {
        self.children.is_empty()
    }

    /// Whether it has no name of its own.
    pub fn is_filler(&self) -> bool {
        self.name == FILLER
    }
}

/// Name given to items without one.
pub(crate) const FILLER: &str = "FILLER";

/// USAGE: how the bytes of an item are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Usage {
    /// Characters; numbers as zoned decimal.
    #[default]
    Display,
    /// COMP, COMP-4, BINARY: two's complement, limited by the picture.
    Binary,
    /// COMP-5: two's complement, full range.
    Native,
    /// COMP-3, PACKED-DECIMAL: two digits a byte, sign in the last half byte.
    Packed,
}

/// SIGN: where the sign of a signed DISPLAY item is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sign {
    /// In or before the first digit rather than in or behind the last.
    pub leading: bool,
    /// A character of its own.
    pub separate: bool,
}

/// OCCURS: how often an item is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurs {
    /// Least number of elements; equal to `maximum` without DEPENDING ON.
    pub minimum: u32,
    /// Greatest number of elements.
    pub maximum: u32,
    /// Item that holds the number of elements in use.
    pub depending_on: Option<Qualified>,
}

/// A data name with the groups it is qualified by (`A OF B OF C`), innermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qualified {
    /// Data name.
    pub name: String,
    /// Groups around it, innermost first.
    pub of: Vec<String>,
}

/// A constant in VALUE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// `'text'`
    Text(String),
    /// `X'C1C2'`: bytes as they are stored.
    Bytes(Vec<u8>),
    /// `-12.5`: unscaled value and number of decimals.
    Number {
        /// All digits, with the sign.
        unscaled: i128,
        /// How many of them are decimals.
        scale: i32,
    },
    /// `SPACES`
    Spaces,
    /// `ZEROS`
    Zeros,
    /// `LOW-VALUES`
    LowValues,
    /// `HIGH-VALUES`
    HighValues,
    /// `QUOTES`
    Quotes,
    /// `ALL 'text'`
    All(String),
}

/// A level 88 entry: a name for some values of the item above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Condition name in upper case.
    pub name: String,
    /// Values it stands for.
    pub values: Vec<ConditionValue>,
}

/// One value or one range of values of a level 88 entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionValue {
    /// `VALUE a`
    One(Literal),
    /// `VALUE a THRU b`
    Range(Literal, Literal),
}
