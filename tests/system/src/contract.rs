//! A contract as a channel's team has it: a `.proto` file, compiled; messages are written as JSON.

use std::path::Path;

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value;

/// A compiled contract.
#[derive(Debug)]
pub struct Contract(DescriptorPool);

impl Contract {
    /// Compiles a `.proto` file whose imports lie in the same folder.
    pub fn compile(proto: &Path) -> Self {
        let folder = proto.parent().expect("a file lies in a folder");
        let files = protox::compile([proto], [folder]).unwrap_or_else(|error| panic!("{}: {error}", proto.display()));
        Self(DescriptorPool::from_file_descriptor_set(files).expect("protox links what it compiles"))
    }

    /// A message's bytes.
    pub fn encode(&self, message: &str, json: &Value) -> Bytes {
        self.message(message, json).encode_to_vec().into()
    }

    /// The message in bytes that came, as JSON with every field.
    pub fn decode(&self, message: &str, bytes: Bytes) -> Value {
        json(&DynamicMessage::decode(self.descriptor(message), bytes).unwrap_or_else(|error| panic!("{message}: {error}")))
    }

    /// The JSON that [`Contract::decode`] gives for the message that `json` writes.
    pub fn normal(&self, message: &str, json: &Value) -> Value {
        self::json(&self.message(message, json))
    }

    fn message(&self, message: &str, json: &Value) -> DynamicMessage {
        DynamicMessage::deserialize(self.descriptor(message), json).unwrap_or_else(|error| panic!("{message}: {error}: {json}"))
    }

    fn descriptor(&self, message: &str) -> MessageDescriptor {
        self.0.get_message_by_name(message).unwrap_or_else(|| panic!("the contract has no {message}"))
    }
}

fn json(message: &DynamicMessage) -> Value {
    let options = SerializeOptions::new().skip_default_fields(false);
    message.serialize_with_options(serde_json::value::Serializer, &options).expect("every message can be JSON")
}
