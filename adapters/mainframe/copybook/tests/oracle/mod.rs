//! The judge of the protobuf side: protox compiles a contract's text, prost-reflect reads and writes its messages.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test file uses its part, and may fail")]

use expect_test::Expect;
use passerelle_copybook::{
    CodePage, Codec, Contract, ContractBuilder, Copybook, Encoding, Fields, Lock, MessageModel, MessageRules, RecordError,
};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::Value;

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

/// A codec for the only record of these entries; its contract is compiled on the way.
pub(crate) fn codec(entries: &str, rules: &str, fields: &str, encoding: &Encoding) -> Codec {
    let source: String = entries.lines().map(|line| format!("       {line}\n")).collect();
    let copybook = Copybook::parse("t.cpy", &source).unwrap();
    let rules: MessageRules = serde_saphyr::from_str(&format!("{{copybook: t.cpy, {rules}}}")).unwrap();
    let fields: Fields = serde_saphyr::from_str(&format!("{{{fields}}}")).unwrap();
    let model = |name| MessageModel::build(name, copybook.record(None).unwrap(), &rules, &fields).unwrap();
    let contract = ContractBuilder::new("t", "T", Lock::default()).operation("O", &model("M"), &model("N")).finish().unwrap();
    compile(&contract);
    Codec::compile(copybook.record(None).unwrap(), contract.request("O").unwrap(), encoding).unwrap()
}

/// What came out, or the error.
pub(crate) fn say<T>(result: Result<T, RecordError>, print: impl FnOnce(T) -> String) -> String {
    result.map_or_else(|error| error.to_string(), print)
}

/// Messages with the records that they become.
pub(crate) fn written(codec: &Codec, messages: &[Value], expected: Expect) {
    let lines = messages
        .iter()
        .map(|message| format!("{}\n  {}\n", sorted(message), say(codec.encode_json(message), |record| hex(&record))));
    expected.assert_eq(&lines.collect::<String>());
}

/// Records, as text, with the messages that they become.
pub(crate) fn read(codec: &Codec, records: &[&str], expected: Expect) {
    let bytes = |text: &str| text.chars().map(|c| CodePage::default().encode(c).unwrap()).collect::<Vec<u8>>();
    let lines =
        records.iter().map(|record| format!("{record}\n  {}\n", say(codec.decode_json(&bytes(record)), |json| sorted(&json))));
    expected.assert_eq(&lines.collect::<String>());
}

/// JSON text with sorted names: whether serde_json keeps their order depends on what else is built with it.
pub(crate) fn sorted(json: &Value) -> String {
    match json {
        Value::Object(fields) => {
            let fields: std::collections::BTreeMap<_, _> = fields.iter().collect();
            let fields: Vec<String> =
                fields.into_iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), sorted(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
