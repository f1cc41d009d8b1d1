//! Models: a message's fields and the decisions behind them; what the `.proto` and the codec are made from.

use std::collections::BTreeMap;

use super::rules::Constant;
use crate::syntax::Literal;

/// One request or response message made from a record. Without field numbers until a [`crate::ContractBuilder`] gave it them.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageModel {
    pub(crate) record: String,
    pub(crate) message: Message,
    /// What becomes of each storage area that several items share, by its first item.
    pub(crate) areas: BTreeMap<usize, Area>,
    /// Constants by item.
    pub(crate) constants: BTreeMap<usize, Constant>,
}

impl MessageModel {
    /// Name of the protobuf message.
    pub fn name(&self) -> &str {
        &self.message.name
    }

    /// Name of the record it was made from.
    pub fn record(&self) -> &str {
        &self.record
    }
}

/// A protobuf message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) fields: Vec<Field>,
    /// Names of its oneofs.
    pub(crate) oneofs: Vec<String>,
}

/// A protobuf field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    /// The item of the record it shows.
    pub(crate) item: usize,
    /// Path of that item.
    pub(crate) path: String,
    pub(crate) name: String,
    /// 0 until a contract gave it one.
    pub(crate) number: u32,
    pub(crate) repeated: bool,
    pub(crate) oneof: Option<usize>,
    pub(crate) kind: Kind,
    pub(crate) comment: String,
}

/// Type of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// `string`: characters.
    Text,
    /// `bytes`
    Bytes,
    /// `uint32`, `uint64`, `sint32`, `sint64`
    Integer { wide: bool, signed: bool },
    /// `string`: a decimal number.
    Decimal,
    /// `string`: the digits of a number, with all its leading zeros.
    Digits,
    /// An enum of level 88 entries.
    Enum(EnumModel),
    /// A group.
    Message(Box<Message>),
}

impl Kind {
    /// The protobuf type.
    pub(crate) fn type_name(&self) -> &str {
        match self {
            Kind::Text | Kind::Decimal | Kind::Digits => "string",
            Kind::Bytes => "bytes",
            Kind::Integer { wide: false, signed: false } => "uint32",
            Kind::Integer { wide: true, signed: false } => "uint64",
            Kind::Integer { wide: false, signed: true } => "sint32",
            Kind::Integer { wide: true, signed: true } => "sint64",
            Kind::Enum(model) => &model.name,
            Kind::Message(message) => &message.name,
        }
    }
}

/// A protobuf enum.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EnumModel {
    pub(crate) name: String,
    /// Name of the value 0, which stands for nothing set.
    pub(crate) unspecified: String,
    pub(crate) values: Vec<EnumValue>,
}

/// A value of an enum: the level 88 entry at the same place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EnumValue {
    pub(crate) condition: String,
    pub(crate) name: String,
    /// 0 until a contract gave it one.
    pub(crate) number: u32,
}

/// What becomes of a storage area that several items share.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Area {
    /// This item alone is shown, or kept if none is.
    Pick(usize),
    /// The first item whose test holds.
    Choice(Vec<(usize, Test)>),
}

/// When an item is the one in its storage area.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// The discriminator holds one of these values or lies in one of these ranges.
    Is {
        item: usize,
        values: Vec<(Literal, Option<Literal>)>,
    },
    Otherwise,
}

/// One value, or the first and last of a range.
pub(crate) type Values = (Literal, Option<Literal>);
