//! Plans: the steps between a record and a message, with all that can be known before either is at hand.

use super::error::Path;
use super::literal::Matcher;
use super::number::Number;
use super::text::Text;
use crate::{InvalidNumeric, TrailingBytes};

/// A compiled plan.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) program: Program,
    pub(super) paths: Vec<Path>,
    /// How many places have to be remembered: counters and discriminators.
    pub(super) registers: usize,
    pub(super) scopes: Vec<Scope>,
    pub(super) maximum: usize,
    pub(super) space: u8,
    pub(super) invalid_numeric: InvalidNumeric,
    pub(super) trailing: TrailingBytes,
}

/// Steps for a record, an element of a table, or one of several items in a storage area. The first step is a segment.
pub(super) type Program = Vec<Step>;

/// A step. Offsets count from the start of the segment at hand.
#[derive(Debug)]
pub(super) enum Step {
    Segment(Segment),
    Field(FieldStep),
    /// A message begins.
    Open {
        number: u32,
        source: Source,
        scope: usize,
        path: usize,
    },
    /// The message begun last ends.
    Close,
    Table(Box<Table>),
    Choice(Box<Choice>),
}

/// Bytes whose places are fixed among themselves: from the start, or the end of a variable table, to the next such table or the end.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) length: usize,
    /// How many of them a record must have: less where items of several lengths share the end of a record.
    pub(super) required: usize,
    /// What it holds where no field is written.
    pub(super) template: Vec<u8>,
    pub(super) captures: Vec<Capture>,
    pub(super) path: usize,
}

/// A place to remember.
#[derive(Debug)]
pub(super) struct Capture {
    pub(super) register: usize,
    pub(super) offset: usize,
    /// Whether the template already holds what belongs there.
    pub(super) constant: bool,
}

/// Where a value comes from when a record is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A field of the message at hand.
    Slot(usize),
    /// The element at hand of the table at hand.
    Element,
}

/// An elementary item, or a group shown as one field.
#[derive(Debug)]
pub(super) struct FieldStep {
    pub(super) offset: usize,
    pub(super) length: usize,
    pub(super) number: u32,
    pub(super) source: Source,
    pub(super) presence: Presence,
    pub(super) value: Value,
    pub(super) path: usize,
    /// The register of a discriminator.
    pub(super) register: Option<usize>,
}

/// When a field is written to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// When it is not zero or empty.
    Implicit,
    /// Always.
    Always,
    /// Always and without a tag: elements of numbers are packed.
    Packed,
}

/// How a value is read and written.
#[derive(Debug)]
pub(super) enum Value {
    Text(Text),
    Bytes,
    Number { number: Number, form: Form },
    Enum(Vec<(u32, Matcher)>),
}

/// How a number is written in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Unsigned,
    Signed,
    Decimal,
    Digits,
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    /// Offset in the segment; none when it begins where the segment ends, and what follows it begins where it ends.
    pub(super) offset: Option<usize>,
    pub(super) maximum: usize,
    /// The counter, unless all elements are always in use.
    pub(super) counter: Option<Counter>,
    /// Length of an element at most.
    pub(super) stride: usize,
    pub(super) element: Program,
    /// What an unused element holds, when the room of all elements is always there.
    pub(super) unused: Vec<u8>,
    /// The field, unless the table is not shown.
    pub(super) slot: Option<usize>,
    /// Field number when elements are packed into one value.
    pub(super) packed: Option<u32>,
    pub(super) path: usize,
}

/// The item that says how many elements are in use.
#[derive(Debug)]
pub(super) struct Counter {
    pub(super) register: usize,
    pub(super) number: Number,
    pub(super) length: usize,
    pub(super) path: usize,
}

/// A storage area that several items share.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) offset: usize,
    pub(super) arms: Vec<Arm>,
    pub(super) path: usize,
}

/// One of the items in a storage area.
#[derive(Debug)]
pub(super) struct Arm {
    pub(super) test: ArmTest,
    pub(super) program: Program,
    /// The member of the oneof; none for an item that is always the one.
    pub(super) slot: Option<usize>,
}

/// When an item is the one in the storage area.
#[derive(Debug)]
pub(super) enum ArmTest {
    Always,
    Is { register: usize, length: usize, matcher: Matcher, path: usize },
}

/// The fields of a message, for reading one.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// By number.
    pub(super) fields: Vec<ScopeField>,
}

/// A field of a message, for reading one.
#[derive(Debug)]
pub(super) struct ScopeField {
    pub(super) number: u32,
    pub(super) slot: usize,
    pub(super) wire: u8,
    pub(super) repeated: bool,
    pub(super) message: bool,
    /// Slots of the other members of its oneof.
    pub(super) rivals: Vec<usize>,
    pub(super) path: usize,
}
