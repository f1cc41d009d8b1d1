//! The text of a `.proto`.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::Operation;
use super::lock::{Lock, Reserved};
use crate::message::{EnumModel, Field, Kind, Message};

/// The text of a contract whose messages have their numbers.
pub(super) fn text(package: &str, service: &str, operations: &[Operation], lock: &Lock) -> String {
    let mut text = Text { out: String::new(), depth: 0, lock };
    text.line("// Made from copybooks by passerelle. Change the copybook or its rules instead of this file.");
    text.line("");
    text.line("syntax = \"proto3\";");
    text.line("");
    text.line(&format!("package {package};"));
    text.line("");
    text.open(&format!("service {service}"));
    for operation in operations {
        let (request, response) = (operation.request.name(), operation.response.name());
        text.line(&format!("rpc {}({request}) returns ({response});", operation.name));
    }
    text.close();
    for operation in operations {
        for model in [&operation.request, &operation.response] {
            text.line("");
            text.message(&model.message, model.name(), model.name());
        }
    }
    text.out
}

struct Text<'a> {
    out: String,
    depth: usize,
    lock: &'a Lock,
}

impl Text<'_> {
    fn line(&mut self, line: &str) {
        if !line.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(self.out, "{:indent$}{line}", "", indent = self.depth * 2);
        }
        self.out.push('\n');
    }

    fn open(&mut self, what: &str) {
        self.line(&format!("{what} {{"));
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    fn message(&mut self, message: &Message, key: &str, root: &str) {
        self.line(&format!("// {}", message.comment));
        self.open(&format!("message {}", message.name));
        let lock = self.lock;
        let names = message.fields.iter().map(|field| field.name.as_str()).collect();
        self.reserved(lock.messages.get(key).map_or(&[][..], |numbers| &numbers.reserved), &names);
        for (index, field) in message.fields.iter().enumerate() {
            if field.oneof.is_none() {
                self.field(field);
            } else if index == 0 || message.fields[index - 1].oneof != field.oneof {
                self.oneof(message, field.oneof);
            }
        }
        for field in &message.fields {
            let key = format!("{root}/{}", field.path);
            match &field.kind {
                Kind::Message(inner) => {
                    self.line("");
                    self.message(inner, &key, root);
                }
                Kind::Enum(model) => {
                    self.line("");
                    self.enumeration(model, &key);
                }
                _ => {}
            }
        }
        self.close();
    }

    fn oneof(&mut self, message: &Message, oneof: Option<usize>) {
        let name = oneof.and_then(|oneof| message.oneofs.get(oneof)).map_or("variant", String::as_str);
        self.open(&format!("oneof {name}"));
        for field in message.fields.iter().filter(|field| field.oneof == oneof) {
            self.field(field);
        }
        self.close();
    }

    fn field(&mut self, field: &Field) {
        let repeated = if field.repeated { "repeated " } else { "" };
        self.line(&format!("// {}", field.comment));
        self.line(&format!("{repeated}{} {} = {};", field.kind.type_name(), field.name, field.number));
    }

    fn enumeration(&mut self, model: &EnumModel, key: &str) {
        self.open(&format!("enum {}", model.name));
        let lock = self.lock;
        let names = model.values.iter().map(|value| value.name.as_str()).chain([model.unspecified.as_str()]).collect();
        self.reserved(lock.enums.get(key).map_or(&[][..], |numbers| &numbers.reserved), &names);
        self.line(&format!("{} = 0;", model.unspecified));
        for value in &model.values {
            self.line(&format!("// {}", value.condition));
            self.line(&format!("{} = {};", value.name, value.number));
        }
        self.close();
    }

    /// Numbers and names that were in use. A name that is in use again, for another number, cannot be reserved.
    fn reserved(&mut self, reserved: &[Reserved], in_use: &BTreeSet<&str>) {
        if reserved.is_empty() {
            return;
        }
        let numbers: Vec<String> = reserved.iter().map(|reserved| reserved.number.to_string()).collect();
        self.line(&format!("reserved {};", numbers.join(", ")));
        let names: BTreeSet<&str> =
            reserved.iter().map(|reserved| reserved.name.as_str()).filter(|name| !in_use.contains(name)).collect();
        if !names.is_empty() {
            let names: Vec<String> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
            self.line(&format!("reserved {};", names.join(", ")));
        }
    }
}
