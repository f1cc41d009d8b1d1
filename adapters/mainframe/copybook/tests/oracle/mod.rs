//! The judge of the protobuf side: protox compiles a contract's text, prost-reflect reads and writes its messages.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test file uses its part, and may fail")]

use passerelle_copybook::Contract;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

struct OneFile {
    path: String,
    text: String,
}

impl protox::file::FileResolver for OneFile {
    fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
        if name == self.path {
            protox::file::File::from_source(name, &self.text)
        } else {
            Err(protox::Error::file_not_found(name))
        }
    }
}

/// Compiles a contract; what protox refuses fails the test with the text.
pub(crate) fn compile(contract: &Contract) -> DescriptorPool {
    let (path, text) = (contract.proto_path.clone(), contract.proto_text.clone());
    let mut compiler = protox::Compiler::with_file_resolver(OneFile { path, text });
    compiler.open_file(&contract.proto_path).unwrap_or_else(|error| panic!("{error}\n{}", contract.proto_text));
    compiler.descriptor_pool()
}

/// Descriptor of a message of the contract, by its short name.
pub(crate) fn message(contract: &Contract, name: &str) -> MessageDescriptor {
    compile(contract).all_messages().find(|message| message.name() == name).unwrap()
}

/// Reads protobuf bytes as JSON.
pub(crate) fn to_json(descriptor: &MessageDescriptor, bytes: &[u8]) -> serde_json::Value {
    serde_json::to_value(DynamicMessage::decode(descriptor.clone(), bytes).unwrap()).unwrap()
}

/// Writes JSON as protobuf bytes.
pub(crate) fn to_wire(descriptor: &MessageDescriptor, json: &serde_json::Value) -> Vec<u8> {
    prost::Message::encode_to_vec(&DynamicMessage::deserialize(descriptor.clone(), json).unwrap())
}

/// Lines of twenty bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    bytes.chunks(20).map(line).collect::<Vec<_>>().join("\n")
}
