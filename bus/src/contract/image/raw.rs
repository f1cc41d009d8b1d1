//! `google/protobuf/descriptor.proto` as this module needs it: options stay bytes, editions are known.
//!
//! The usual Rust descriptor types drop what they do not know (custom options, `edition`, buf's marks). Here every
//! `*Options` message is kept as the chunks of bytes that stood on the wire, so rewriting a descriptor loses none.

use prost::Message;

/// `FieldDescriptorProto.Label`: at most one.
pub(crate) const LABEL_OPTIONAL: i32 = 1;
/// `FieldDescriptorProto.Label`: exactly one.
pub(crate) const LABEL_REQUIRED: i32 = 2;
/// `FieldDescriptorProto.Label`: any number.
pub(crate) const LABEL_REPEATED: i32 = 3;

/// `FieldDescriptorProto.Type`: a message between two tags.
pub(crate) const TYPE_GROUP: i32 = 10;
/// `FieldDescriptorProto.Type`: a message after its length.
pub(crate) const TYPE_MESSAGE: i32 = 11;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Set {
    #[prost(message, repeated, tag = "1")]
    pub(crate) file: Vec<File>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct File {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) package: Option<String>,
    #[prost(string, repeated, tag = "3")]
    pub(crate) dependency: Vec<String>,
    #[prost(int32, repeated, packed = "false", tag = "10")]
    pub(crate) public_dependency: Vec<i32>,
    #[prost(int32, repeated, packed = "false", tag = "11")]
    pub(crate) weak_dependency: Vec<i32>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) message_type: Vec<MessageType>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) enum_type: Vec<EnumType>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) service: Vec<Service>,
    #[prost(message, repeated, tag = "7")]
    pub(crate) extension: Vec<Field>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub(crate) options: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub(crate) source_code_info: Vec<Vec<u8>>,
    #[prost(string, optional, tag = "12")]
    pub(crate) syntax: Option<String>,
    #[prost(int32, optional, tag = "14")]
    pub(crate) edition: Option<i32>,
    #[prost(message, optional, tag = "8042")]
    pub(crate) buf: Option<BufMark>,
}

/// What a buf image says of each of its files (`buf.alpha.image.v1.ImageFileExtension`).
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct BufMark {
    #[prost(bool, optional, tag = "1")]
    pub(crate) is_import: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MessageType {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) field: Vec<Field>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) extension: Vec<Field>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) nested_type: Vec<MessageType>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) enum_type: Vec<EnumType>,
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub(crate) extension_range: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "7")]
    pub(crate) options: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "8")]
    pub(crate) oneof_decl: Vec<Oneof>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub(crate) reserved_range: Vec<Vec<u8>>,
    #[prost(string, repeated, tag = "10")]
    pub(crate) reserved_name: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Field {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) extendee: Option<String>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) number: Option<i32>,
    #[prost(int32, optional, tag = "4")]
    pub(crate) label: Option<i32>,
    #[prost(int32, optional, tag = "5")]
    pub(crate) r#type: Option<i32>,
    #[prost(string, optional, tag = "6")]
    pub(crate) type_name: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub(crate) default_value: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub(crate) options: Vec<Vec<u8>>,
    #[prost(int32, optional, tag = "9")]
    pub(crate) oneof_index: Option<i32>,
    #[prost(string, optional, tag = "10")]
    pub(crate) json_name: Option<String>,
    #[prost(bool, optional, tag = "17")]
    pub(crate) proto3_optional: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Oneof {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(crate) options: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct EnumType {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) value: Vec<EnumValue>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(crate) options: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub(crate) reserved_range: Vec<Vec<u8>>,
    #[prost(string, repeated, tag = "5")]
    pub(crate) reserved_name: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct EnumValue {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) number: Option<i32>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(crate) options: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Service {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) method: Vec<MethodType>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(crate) options: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MethodType {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) input_type: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) output_type: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub(crate) options: Vec<Vec<u8>>,
    #[prost(bool, optional, tag = "5")]
    pub(crate) client_streaming: Option<bool>,
    #[prost(bool, optional, tag = "6")]
    pub(crate) server_streaming: Option<bool>,
}

/// The part of `MessageOptions` that is read here.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct MessageOptions {
    #[prost(bool, optional, tag = "7")]
    pub(crate) map_entry: Option<bool>,
    #[prost(message, optional, tag = "12")]
    pub(crate) features: Option<FeatureSet>,
}

/// The part of `FileOptions` that is read here.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FileOptions {
    #[prost(message, optional, tag = "50")]
    pub(crate) features: Option<FeatureSet>,
}

/// The part of `FieldOptions` that is read here.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FieldOptions {
    #[prost(message, optional, tag = "21")]
    pub(crate) features: Option<FeatureSet>,
}

/// The part of `OneofOptions` that is read here.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct OneofOptions {
    #[prost(message, optional, tag = "1")]
    pub(crate) features: Option<FeatureSet>,
}

/// `FeatureSet`, without what does not change how bytes are read (`enum_type`: decoders here keep every number).
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct FeatureSet {
    #[prost(int32, optional, tag = "1")]
    pub(crate) field_presence: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) repeated_field_encoding: Option<i32>,
    #[prost(int32, optional, tag = "5")]
    pub(crate) message_encoding: Option<i32>,
}

/// Reads an options message from the chunks of it that stood on the wire (several are merged, as protobuf says).
pub(crate) fn options<M: Message + Default>(chunks: &[Vec<u8>]) -> Result<M, prost::DecodeError> {
    M::decode(chunks.concat().as_slice())
}
