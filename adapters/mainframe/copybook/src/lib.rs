//! Copybooks: COBOL record descriptions read, laid out, given a protobuf contract, and turned both ways by a compiled plan.
//!
//! The way through the crate is the way of a record description: [`Copybook::parse`] reads the text into [`Item`]s, [`Layout`] says
//! where each of them lies, [`MessageModel`] says what a message shows of them, [`ContractBuilder`] writes the `.proto` with field
//! numbers that a [`Lock`] keeps stable, and [`Codec`] goes straight between record bytes and protobuf bytes.

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
