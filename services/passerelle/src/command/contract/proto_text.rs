//! Descriptors written as `.proto` text, for reading: comments and shapes, without options.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;

use passerelle_bus::contract::Image;
use passerelle_proto::bus::v1;
use prost_reflect::{
    Cardinality, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, MethodDescriptor, ServiceDescriptor,
    Syntax,
};

use super::listing;
use crate::explain::Code;
use crate::failure::Failure;

/// All files of the contract but those of `google.*`, services first.
pub(super) fn files(image: &Image, contract: &v1::Contract) -> String {
    let mut files: Vec<_> = image.pool().files().filter(|file| !file.name().starts_with("google/")).collect();
    files.sort_by_key(|file| (file.services().len() == 0, file.name().to_owned()));
    let mut text = format!("// {}@{}\n", contract.name, contract.version);
    for file in files {
        text += &Writer::new(&file).file();
    }
    text
}

/// One method, and the messages and enums that it uses.
pub(super) fn method(image: &Image, contract: &v1::Contract, wanted: &str) -> Result<String, Failure> {
    let all = || contract.services.iter().flat_map(|service| &service.methods);
    let found: Vec<_> = all().filter(|method| method.name == wanted || method.path.trim_start_matches('/') == wanted).collect();
    if found.is_empty() {
        let names: Vec<_> = all().map(|method| method.name.as_str()).collect();
        let id = format!("{}@{}", contract.name, contract.version);
        return Err(Failure::new(Code::METHOD_UNKNOWN, format!("no method {wanted} in {id}; it has: {}", names.join(", "))));
    }
    let mut text = String::new();
    for method in found {
        let service = method.path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let descriptor = image
            .pool()
            .get_service_by_name(service)
            .and_then(|service| service.methods().find(|found| found.name() == method.name));
        let Some(descriptor) = descriptor else { continue };
        let notes = [method.path.as_str(), listing::kind(method), listing::idempotency(method)];
        let notes: Vec<_> = notes.into_iter().filter(|note| !note.is_empty()).collect();
        let _ = writeln!(text, "// {}", notes.join(", "));
        text += &Writer::new(&descriptor.parent_service().parent_file()).method(&descriptor, 0);
        for used in used_by(&descriptor) {
            text += "\n";
            text += &used;
        }
    }
    Ok(text)
}

/// Types reachable from the method's messages, nearest first, each written once; `google.protobuf` is known to all.
fn used_by(method: &MethodDescriptor) -> Vec<String> {
    let mut written = HashSet::new();
    let mut messages = vec![method.input(), method.output()];
    let mut texts = Vec::new();
    let mut next = 0;
    while let Some(message) = messages.get(next).cloned() {
        next += 1;
        if message.package_name() == "google.protobuf"
            || message.is_map_entry()
            || !written.insert(message.full_name().to_owned())
        {
            continue;
        }
        texts.push(Writer::new(&message.parent_file()).message(&message, 0, false));
        for field in message.fields() {
            match value_kind(&field) {
                Kind::Message(used) => messages.push(used),
                Kind::Enum(used) if written.insert(used.full_name().to_owned()) => {
                    texts.push(Writer::new(&used.parent_file()).enumeration(&used, 0));
                }
                _ => {}
            }
        }
    }
    texts
}

/// The kind of a field, of a map its values'.
fn value_kind(field: &FieldDescriptor) -> Kind {
    match field.kind() {
        Kind::Message(entry) if entry.is_map_entry() => entry.map_entry_value_field().kind(),
        kind => kind,
    }
}

/// Writes the descriptors of one file.
struct Writer {
    file: FileDescriptor,
    comments: HashMap<Vec<i32>, String>,
}

impl Writer {
    fn new(file: &FileDescriptor) -> Self {
        let info = file.file_descriptor_proto().source_code_info.clone().unwrap_or_default();
        let comments = info.location.into_iter().filter_map(|location| Some((location.path, location.leading_comments?)));
        Self { file: file.clone(), comments: comments.collect() }
    }

    fn file(&self) -> String {
        let syntax = if self.file.syntax() == Syntax::Proto2 { "proto2" } else { "proto3" };
        let mut text = format!("\n// {}\nsyntax = \"{syntax}\";\n", self.file.name());
        if !self.file.package_name().is_empty() {
            let _ = writeln!(text, "package {};", self.file.package_name());
        }
        for dependency in self.file.dependencies() {
            let _ = writeln!(text, "import \"{}\";", dependency.name());
        }
        for service in self.file.services() {
            text += "\n";
            text += &self.service(&service);
        }
        for message in self.file.messages() {
            text += "\n";
            text += &self.message(&message, 0, true);
        }
        for item in self.file.enums() {
            text += "\n";
            text += &self.enumeration(&item, 0);
        }
        text
    }

    fn service(&self, service: &ServiceDescriptor) -> String {
        let mut text = self.comment(service.path(), 0);
        let _ = writeln!(text, "service {} {{", service.name());
        for method in service.methods() {
            text += &self.method(&method, 1);
        }
        text + "}\n"
    }

    fn method(&self, method: &MethodDescriptor, depth: usize) -> String {
        let stream = |streaming| if streaming { "stream " } else { "" };
        let (request, response) = (self.name(method.input().full_name()), self.name(method.output().full_name()));
        let (up, down) = (stream(method.is_client_streaming()), stream(method.is_server_streaming()));
        let line = format!("{}rpc {}({up}{request}) returns ({down}{response});\n", indent(depth), method.name());
        self.comment(method.path(), depth) + &line
    }

    /// A message, with the types declared in it if `nested`.
    fn message(&self, message: &MessageDescriptor, depth: usize, nested: bool) -> String {
        let mut text = self.comment(message.path(), depth);
        let _ = writeln!(text, "{}message {} {{", indent(depth), message.name());
        if nested {
            for item in message.child_enums() {
                text += &self.enumeration(&item, depth + 1);
            }
            for child in message.child_messages().filter(|child| !child.is_map_entry()) {
                text += &self.message(&child, depth + 1, true);
            }
        }
        text += &self.fields(message, depth + 1);
        text + &indent(depth) + "}\n"
    }

    /// The fields, those of a oneof together where its first one stands.
    fn fields(&self, message: &MessageDescriptor, depth: usize) -> String {
        let mut text = String::new();
        let mut done = HashSet::new();
        let by_place: BTreeMap<_, _> = message.fields().map(|field| (field.path().last().copied(), field)).collect();
        for field in by_place.values() {
            let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) else {
                text += &self.field(field, depth);
                continue;
            };
            if done.insert(oneof.name().to_owned()) {
                let _ = writeln!(text, "{}oneof {} {{", indent(depth), oneof.name());
                oneof.fields().for_each(|field| text += &self.field(&field, depth + 1));
                let _ = writeln!(text, "{}}}", indent(depth));
            }
        }
        text
    }

    fn field(&self, field: &FieldDescriptor, depth: usize) -> String {
        let in_oneof = field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic());
        let label = match field.cardinality() {
            Cardinality::Required => "required ",
            Cardinality::Repeated if !field.is_map() => "repeated ",
            Cardinality::Optional if !in_oneof && field.supports_presence() && !matches!(field.kind(), Kind::Message(_)) => {
                "optional "
            }
            _ => "",
        };
        let kind = match field.kind() {
            Kind::Message(entry) if entry.is_map_entry() => {
                let (key, value) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
                format!("map<{}, {}>", self.kind(&key), self.kind(&value))
            }
            kind => self.kind(&kind),
        };
        let line = format!("{}{label}{kind} {} = {};\n", indent(depth), field.name(), field.number());
        self.comment(field.path(), depth) + &line
    }

    fn enumeration(&self, item: &EnumDescriptor, depth: usize) -> String {
        let mut text = self.comment(item.path(), depth);
        let _ = writeln!(text, "{}enum {} {{", indent(depth), item.name());
        for value in item.values() {
            text += &self.comment(value.path(), depth + 1);
            let _ = writeln!(text, "{}{} = {};", indent(depth + 1), value.name(), value.number());
        }
        text + &indent(depth) + "}\n"
    }

    fn kind(&self, kind: &Kind) -> String {
        match kind {
            Kind::Message(message) => self.name(message.full_name()),
            Kind::Enum(item) => self.name(item.full_name()),
            scalar => format!("{scalar:?}"),
        }
    }

    /// A type's name as this file writes it: without the file's own package.
    fn name(&self, full_name: &str) -> String {
        let own = full_name.strip_prefix(self.file.package_name()).and_then(|rest| rest.strip_prefix('.'));
        own.unwrap_or(full_name).to_owned()
    }

    fn comment(&self, path: &[i32], depth: usize) -> String {
        let lines = self.comments.get(path).map(String::as_str).unwrap_or_default().lines();
        lines.map(|line| format!("{}// {}", indent(depth), line.trim()).trim_end().to_owned() + "\n").collect()
    }
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use passerelle_adapter::{ContractSource, ProtoFile};

    use super::*;

    const TEXT: &str = "syntax = \"proto3\"; package bank.v1; import \"google/protobuf/timestamp.proto\";\n\
        // Accounts of a customer.\nservice Accounts {\n  // Reads one.\n  rpc Read(Asked) returns (stream Told);\n}\n\
        // The question.\nmessage Asked { optional int32 limit = 2; string customer = 1; oneof by { string name = 3; Id id = 4; } message Id { bytes raw = 1; } }\n\
        message Told { map<string, Kind> kinds = 1; repeated google.protobuf.Timestamp at = 2; Told parent = 3; }\n\
        enum Kind { KIND_UNSPECIFIED = 0;\n // Saves.\n KIND_SAVINGS = 1; }\n message Unused {}";

    fn sample() -> (Image, v1::Contract) {
        let files = vec![ProtoFile { path: "bank.proto".to_owned(), text: TEXT.to_owned() }];
        let image = crate::serve::contracts::compile(&ContractSource { name: "bank.v1".to_owned(), files }).unwrap();
        let method = v1::Method {
            name: "Read".to_owned(),
            path: "/bank.v1.Accounts/Read".to_owned(),
            server_streaming: true,
            idempotency: v1::Idempotency::NoSideEffects.into(),
            ..Default::default()
        };
        let services = vec![v1::Service { name: "bank.v1.Accounts".to_owned(), methods: vec![method] }];
        (image, v1::Contract { name: "bank.v1".to_owned(), version: 1, services, ..Default::default() })
    }

    #[test]
    fn a_contract_is_written_as_proto_text_that_compiles_to_the_same() {
        let (image, contract) = sample();
        let text = files(&image, &contract);
        expect![[r#"
            // bank.v1@1

            // bank.proto
            syntax = "proto3";
            package bank.v1;
            import "google/protobuf/timestamp.proto";

            // Accounts of a customer.
            service Accounts {
              // Reads one.
              rpc Read(Asked) returns (stream Told);
            }

            // The question.
            message Asked {
              message Id {
                bytes raw = 1;
              }
              optional int32 limit = 2;
              string customer = 1;
              oneof by {
                string name = 3;
                Asked.Id id = 4;
              }
            }

            message Told {
              map<string, Kind> kinds = 1;
              repeated google.protobuf.Timestamp at = 2;
              Told parent = 3;
            }

            message Unused {
            }

            enum Kind {
              KIND_UNSPECIFIED = 0;
              // Saves.
              KIND_SAVINGS = 1;
            }
        "#]]
        .assert_eq(&text);
        let source = ProtoFile { path: "bank.proto".to_owned(), text };
        let again =
            crate::serve::contracts::compile(&ContractSource { name: "bank.v1".to_owned(), files: vec![source] }).unwrap();
        // Not by Debug: the library's follows a message that contains itself without an end.
        let shape = |field: FieldDescriptor| {
            let kind = match field.kind() {
                Kind::Message(message) => message.full_name().to_owned(),
                Kind::Enum(item) => item.full_name().to_owned(),
                scalar => format!("{scalar:?}"),
            };
            (field.full_name().to_owned(), field.number(), kind, field.cardinality() as u8, field.supports_presence())
        };
        let fields = |image: &Image| {
            let messages = image.pool().all_messages();
            let mut all: Vec<_> = messages.flat_map(|message| message.fields().map(shape).collect::<Vec<_>>()).collect();
            all.sort();
            all
        };
        assert_eq!(fields(&image), fields(&again));
    }

    #[test]
    fn a_method_is_written_with_what_it_uses_and_no_more() {
        let (image, contract) = sample();
        expect![[r#"
            // /bank.v1.Accounts/Read, server streaming, only reads
            // Reads one.
            rpc Read(Asked) returns (stream Told);

            // The question.
            message Asked {
              optional int32 limit = 2;
              string customer = 1;
              oneof by {
                string name = 3;
                Asked.Id id = 4;
              }
            }

            message Told {
              map<string, Kind> kinds = 1;
              repeated google.protobuf.Timestamp at = 2;
              Told parent = 3;
            }

            enum Kind {
              KIND_UNSPECIFIED = 0;
              // Saves.
              KIND_SAVINGS = 1;
            }

            message Id {
              bytes raw = 1;
            }
        "#]]
        .assert_eq(&method(&image, &contract, "Read").unwrap());
        expect![[r#"
            error: no method Write in bank.v1@1; it has: Read
            P0013: `passerelle explain P0013` tells what it means and the way out"#]]
        .assert_eq(&method(&image, &contract, "Write").unwrap_err().text());
    }
}
