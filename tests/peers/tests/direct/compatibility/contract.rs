//! A small contract as a tree, so that it can be changed, and its `.proto` text in each syntax.

use std::collections::BTreeSet;
use std::fmt::Write;

/// Which language the text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Proto2,
    Proto3,
    Edition2023,
}

/// Two files of one package; the second imports the first.
#[derive(Debug, Clone)]
pub(super) struct Contract {
    pub(super) package: String,
    pub(super) syntax: Syntax,
    /// Options of the main file: name and value as they are written.
    pub(super) options: Vec<(&'static str, String)>,
    pub(super) messages: Vec<Message>,
    pub(super) enums: Vec<Enum>,
    pub(super) services: Vec<Service>,
    pub(super) extensions: Vec<Field>,
    /// What stands in the second file; it is left out when nothing does.
    pub(super) shared: Vec<Message>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    pub(super) name: String,
    pub(super) options: Vec<String>,
    pub(super) fields: Vec<Field>,
    pub(super) reserved: Vec<(i32, i32)>,
    pub(super) reserved_names: Vec<String>,
    pub(super) extension_ranges: Vec<(i32, i32)>,
    pub(super) messages: Vec<Message>,
    pub(super) enums: Vec<Enum>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Implicit,
    Explicit,
    Required,
    Repeated,
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) number: i32,
    pub(super) presence: Presence,
    /// As it is written: `int64`, `Amount`, `map<string, Amount>`.
    pub(super) kind: String,
    pub(super) oneof: Option<String>,
    pub(super) default: Option<&'static str>,
    pub(super) options: Vec<String>,
    /// Options that only an edition has.
    pub(super) features: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Enum {
    pub(super) name: String,
    pub(super) values: Vec<(String, i32)>,
    pub(super) reserved: Vec<(i32, i32)>,
    pub(super) reserved_names: Vec<String>,
    pub(super) features: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) methods: Vec<Method>,
}

#[derive(Debug, Clone)]
pub(super) struct Method {
    pub(super) name: String,
    pub(super) request: (bool, String),
    pub(super) response: (bool, String),
    pub(super) idempotency: Option<&'static str>,
}

impl Contract {
    /// The text of the main file, and of the other if there is one. `folder` is where they are imported from.
    pub(super) fn files(&self, folder: &str) -> Vec<(String, String)> {
        let mut main = Text { syntax: self.syntax, lines: self.heading(), indent: 0 };
        // Editions have a feature instead.
        let is_java_check = |name| name == "java_string_check_utf8" && self.syntax == Syntax::Edition2023;
        for (name, value) in self.options.iter().filter(|(name, _)| !is_java_check(*name)) {
            main.line(format!("option {name} = {value};"));
        }
        self.messages.iter().for_each(|message| main.message(message));
        self.enums.iter().for_each(|item| main.enumeration(item));
        for extension in self.extensions.iter().filter(|_| self.syntax != Syntax::Proto3) {
            main.block("extend Open", |text| text.field(extension));
        }
        self.services.iter().for_each(|service| main.service(service));
        let mut files = vec![(format!("{folder}/main.proto"), main.lines)];
        if !self.shared.is_empty() {
            let mut text = Text { syntax: self.syntax, lines: self.heading(), indent: 0 };
            text.line(format!("import \"{folder}/main.proto\";"));
            self.shared.iter().for_each(|message| text.message(message));
            files.push((format!("{folder}/shared.proto"), text.lines));
        }
        files
    }

    fn heading(&self) -> String {
        let syntax = match self.syntax {
            Syntax::Proto2 => "syntax = \"proto2\"",
            Syntax::Proto3 => "syntax = \"proto3\"",
            Syntax::Edition2023 => "edition = \"2023\"",
        };
        format!("{syntax};\n\npackage {};\n\n", self.package)
    }
}

/// Text under way: one declaration a line, so that a wrong line shows.
struct Text {
    syntax: Syntax,
    lines: String,
    indent: usize,
}

impl Text {
    fn line(&mut self, line: String) {
        let _ = writeln!(self.lines, "{:indent$}{line}", "", indent = self.indent * 2);
    }

    fn block(&mut self, opening: &str, inner: impl FnOnce(&mut Self)) {
        self.line(format!("{opening} {{"));
        self.indent += 1;
        inner(self);
        self.indent -= 1;
        self.line("}".to_owned());
    }

    fn message(&mut self, message: &Message) {
        self.block(&format!("message {}", message.name), |text| {
            message.options.iter().for_each(|option| text.line(format!("option {option};")));
            text.reserved(&message.reserved, &message.reserved_names);
            let extensible = text.syntax != Syntax::Proto3;
            for (from, to) in message.extension_ranges.iter().filter(|_| extensible) {
                text.line(format!("extensions {from} to {to};"));
            }
            let oneofs: BTreeSet<&String> = message.fields.iter().filter_map(|field| field.oneof.as_ref()).collect();
            for field in message.fields.iter().filter(|field| field.oneof.is_none()) {
                text.field(field);
            }
            for name in oneofs {
                text.block(&format!("oneof {name}"), |text| {
                    message.fields.iter().filter(|field| field.oneof.as_ref() == Some(name)).for_each(|field| text.field(field));
                });
            }
            message.messages.iter().for_each(|nested| text.message(nested));
            message.enums.iter().for_each(|nested| text.enumeration(nested));
        });
    }

    fn field(&mut self, field: &Field) {
        let is_map = field.kind.starts_with("map<");
        let is_message = field.kind.starts_with(char::is_uppercase) && !field.kind.ends_with("Kind");
        let plain = is_map || field.oneof.is_some();
        let mut options = field.options.clone();
        let label = match (field.presence, self.syntax) {
            _ if plain => "",
            (Presence::Repeated, _) => "repeated ",
            (Presence::Required, Syntax::Proto2) => "required ",
            (Presence::Explicit, Syntax::Edition2023) => "",
            (Presence::Required, Syntax::Edition2023) => {
                options.push("features.field_presence = LEGACY_REQUIRED".to_owned());
                ""
            }
            (Presence::Implicit, Syntax::Edition2023) => {
                if !is_message && field.default.is_none() {
                    options.push("features.field_presence = IMPLICIT".to_owned());
                }
                ""
            }
            (Presence::Implicit, Syntax::Proto3) => "",
            _ => "optional ",
        };
        if let Some(default) = field.default.filter(|_| self.syntax != Syntax::Proto3 && !is_map) {
            options.push(format!("default = {default}"));
        }
        if self.syntax == Syntax::Edition2023 {
            options.extend(field.features.iter().cloned());
        }
        let options = if options.is_empty() { String::new() } else { format!(" [{}]", options.join(", ")) };
        self.line(format!("{label}{} {} = {}{options};", field.kind, field.name, field.number));
    }

    fn enumeration(&mut self, item: &Enum) {
        self.block(&format!("enum {}", item.name), |text| {
            let has_alias = item
                .values
                .iter()
                .enumerate()
                .any(|(place, (_, number))| item.values[..place].iter().any(|(_, earlier)| earlier == number));
            if has_alias {
                text.line("option allow_alias = true;".to_owned());
            }
            let is_edition = text.syntax == Syntax::Edition2023;
            for feature in item.features.iter().filter(|_| is_edition) {
                text.line(format!("option {feature};"));
            }
            text.reserved(&item.reserved, &item.reserved_names);
            item.values.iter().for_each(|(name, number)| text.line(format!("{name} = {number};")));
        });
    }

    fn reserved(&mut self, ranges: &[(i32, i32)], names: &[String]) {
        for (from, to) in ranges {
            self.line(if from == to { format!("reserved {from};") } else { format!("reserved {from} to {to};") });
        }
        for name in names {
            let quote = if self.syntax == Syntax::Edition2023 { "" } else { "\"" };
            self.line(format!("reserved {quote}{name}{quote};"));
        }
    }

    fn service(&mut self, service: &Service) {
        self.block(&format!("service {}", service.name), |text| {
            for method in &service.methods {
                let side = |(streams, name): &(bool, String)| if *streams { format!("stream {name}") } else { name.clone() };
                let (request, response) = (side(&method.request), side(&method.response));
                text.block(&format!("rpc {}({request}) returns ({response})", method.name), |text| {
                    if let Some(level) = method.idempotency {
                        text.line(format!("option idempotency_level = {level};"));
                    }
                });
            }
        });
    }
}
