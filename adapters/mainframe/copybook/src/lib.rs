//! Copybooks: COBOL record descriptions read, laid out, given a protobuf contract, and turned both ways by a compiled plan.
//!
//! The way through the crate is the way of a record description: [`Copybook::parse`] reads the text into [`Item`]s, [`Layout`] says
//! where each of them lies, [`MessageModel`] says what a message shows of them, [`ContractBuilder`] writes the `.proto` with field
//! numbers that a [`Lock`] keeps stable, and [`Codec`] goes straight between record bytes and protobuf bytes.
//!
//! # What is read
//! Pictures of `X A 9 S V P`; DISPLAY, COMP, COMP-3, COMP-5; SIGN, OCCURS (DEPENDING ON), REDEFINES, level 88, SYNCHRONIZED, JUSTIFIED,
//! BLANK WHEN ZERO, VALUE; fixed and free format; copybooks, fragments, and whole programs. All else is refused with its place.
//!
//! # From items to fields
//! | item | field |
//! | --- | --- |
//! | text | `string` without the spaces or low-values behind it; `as: bytes` untouched |
//! | number without decimals, at most 18 digits | `uint32`, `sint32` (at most 9 digits), `uint64`, `sint64` |
//! | the same, unsigned, in digits, and called `…-ID`, `…-NO`, `…-CODE`, `…-NUM`, or `as: string` | `string` with all its leading zeros |
//! | number with decimals or `P`, or more digits | `string`: `-12345.67`, always with all decimals of the picture |
//! | with `enum: true` | an enum of its level 88 entries; a value that none of them names is an error |
//! | group | a message; without a name and OCCURS, its items belong to the message around it |
//! | OCCURS | a repeated field; the counter of DEPENDING ON is not shown, and set when a record is written |
//! | REDEFINES | a `oneof` by `when:`, one item by `pick:`, or the only one that is not excluded |
//! | FILLER, excluded | nothing; written as VALUE, else zeros if numeric, else spaces (slack bytes: low-values) |
//!
//! # Records and messages that are not perfect
//! Reading keeps binary values beyond their picture; writing refuses them unless [`BinaryRange::Full`]. Numbers of spaces or low-values
//! are for [`InvalidNumeric`] to decide, bytes behind the last item for [`TrailingBytes`]. A record may end with the item that is in
//! the storage area at its end. A counter may be below its OCCURS minimum, never above its maximum. Fields that a message does not
//! have are spaces and zeros. Unknown fields are passed over, of a single field the last value counts. Limits are in [`limits`].

mod code_page;
mod codec;
mod contract;
mod encoding;
mod json;
mod layout;
pub mod limits;
mod message;
mod syntax;
mod wire;

pub use code_page::{CodePage, UnknownCodePage};
pub use codec::{Codec, Probe, ProbeValue, RecordError};
pub use contract::{Contract, ContractBuilder, Lock, LockError};
pub use encoding::{BinaryRange, ByteOrder, Encoding, InvalidNumeric, OccursDepending, TrailingBytes};
pub use layout::{Layout, LayoutError, Row};
pub use message::{As, Constant, FieldRules, Fields, MessageModel, MessageRules, models};
pub use syntax::{
    Condition, ConditionValue, Copybook, Item, Literal, Occurs, Picture, PictureKind, Position, Qualified, Sign, SyntaxError,
    Usage,
};
