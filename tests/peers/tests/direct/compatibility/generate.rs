//! Contracts of varied shape, by seed.

use fastrand::Rng;

use super::contract::{Contract, Enum, Field, Message, Method, Presence, Service, Syntax};

/// Types of fields that need no declaration.
pub(super) const SCALARS: [&str; 15] = [
    "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "bytes", "uint32", "sfixed32",
    "sfixed64", "sint32", "sint64",
];

/// Messages that stay, so that they can be named anywhere.
pub(super) const MESSAGES: [&str; 3] = ["Alpha", "Beta", "Open"];
/// Enums that stay.
pub(super) const ENUMS: [&str; 2] = ["ColourKind", "ShapeKind"];

/// A contract. Its package is `pair_<number>.v1`, so that many can be compiled together.
pub(super) fn contract(rng: &mut Rng, number: usize) -> Contract {
    let syntax = pick(rng, &[Syntax::Proto2, Syntax::Proto3, Syntax::Edition2023]);
    let mut contract = Contract {
        package: format!("pair_{number}.v1"),
        syntax,
        options: Vec::new(),
        messages: Vec::new(),
        enums: ENUMS.iter().map(|name| enumeration(rng, name)).collect(),
        services: Vec::new(),
        extensions: Vec::new(),
        shared: Vec::new(),
    };
    for name in MESSAGES {
        contract.messages.push(message(rng, name, 1));
    }
    contract.messages[2].extension_ranges = vec![(1000, 1099), (1200, 1299)];
    // Nobody names these, so they may go.
    contract.messages.push(message(rng, "Spare", 1));
    contract.enums.push(enumeration(rng, "SpareKind"));
    if rng.bool() {
        contract.shared = ["Moved", "Imported"].iter().map(|name| message(rng, name, 0)).collect();
    }
    for index in 0..rng.i32(0..3) {
        let mut extension = field(rng, &format!("extra_{index}"), 1000 + index);
        extension.oneof = None;
        // No extension is required or a map, has a JSON name or a string type of its own.
        if extension.presence != Presence::Repeated {
            extension.presence = Presence::Explicit;
        }
        if extension.kind.starts_with("map<") {
            extension.kind = "string".to_owned();
            extension.options.clear();
        }
        extension.options.retain(|option| option.starts_with("jstype"));
        contract.extensions.push(extension);
    }
    for name in ["Desk", "SpareDesk"] {
        contract.services.push(service(rng, name));
    }
    for option in OPTIONS.iter().filter(|_| rng.u8(0..5) == 0).collect::<Vec<_>>() {
        contract.options.push((option.0, pick(rng, option.1).to_owned()));
    }
    contract
}

/// File options with values.
pub(super) const OPTIONS: [(&str, &[&str]); 17] = [
    ("java_package", &["\"one\"", "\"two\""]),
    ("java_outer_classname", &["\"One\"", "\"Two\""]),
    ("java_multiple_files", &["true", "false"]),
    ("java_string_check_utf8", &["true", "false"]),
    ("java_generic_services", &["true", "false"]),
    ("go_package", &["\"one\"", "\"two\""]),
    ("cc_generic_services", &["true", "false"]),
    ("cc_enable_arenas", &["true", "false"]),
    ("py_generic_services", &["true", "false"]),
    ("optimize_for", &["SPEED", "CODE_SIZE"]),
    ("objc_class_prefix", &["\"ONE\"", "\"TWO\""]),
    ("csharp_namespace", &["\"One\"", "\"Two\""]),
    ("swift_prefix", &["\"One\"", "\"Two\""]),
    ("php_class_prefix", &["\"One\"", "\"Two\""]),
    ("php_namespace", &["\"One\"", "\"Two\""]),
    ("php_metadata_namespace", &["\"One\"", "\"Two\""]),
    ("ruby_package", &["\"One\"", "\"Two\""]),
];

fn message(rng: &mut Rng, name: &str, depth: u8) -> Message {
    let mut message = Message { name: name.to_owned(), ..Message::default() };
    for index in 1..=rng.i32(2..8) {
        message.fields.push(field(rng, &format!("field_{index}"), index));
    }
    // A choice keeps its fields together, as its text does.
    if rng.bool() {
        for index in 20..20 + rng.i32(1..4) {
            message.fields.push(choice(rng, index, "choice"));
        }
    }
    if rng.bool() {
        message.reserved = vec![(30, 30), (32, 30 + rng.i32(2..9))];
        message.reserved_names = vec!["old_name".to_owned(), "older_name".to_owned()];
    }
    if depth > 0 {
        message.messages.push(self::message(rng, "Inner", depth - 1));
        message.enums.push(enumeration(rng, &format!("{name}Kind")));
    }
    message
}

/// A field of a oneof.
pub(super) fn choice(rng: &mut Rng, number: i32, oneof: &str) -> Field {
    let mut field = field(rng, &format!("field_{number}"), number);
    field.oneof = Some(oneof.to_owned());
    field.presence = Presence::Explicit;
    if field.kind.starts_with("map<") {
        retype(&mut field, "int32");
    }
    field
}

pub(super) fn field(rng: &mut Rng, name: &str, number: i32) -> Field {
    let presence = pick(rng, &[Presence::Implicit, Presence::Explicit, Presence::Required, Presence::Repeated]);
    let mut field = Field {
        name: name.to_owned(),
        number,
        presence,
        kind: String::new(),
        oneof: None,
        default: None,
        options: Vec::new(),
        features: Vec::new(),
    };
    let kind = kind(rng);
    retype(&mut field, &kind);
    if rng.u8(0..3) == 0 {
        decorate(rng, &mut field);
    }
    field
}

/// A type for a field.
pub(super) fn kind(rng: &mut Rng) -> String {
    let named = [MESSAGES[0], MESSAGES[1], ENUMS[0], ENUMS[1]];
    match rng.u8(0..8) {
        0 => format!(
            "map<{}, {}>",
            pick(rng, &["string", "int32", "bool"]),
            pick(rng, &["string", "int64", "Alpha", "ColourKind"])
        ),
        1 | 2 => pick(rng, &named).to_owned(),
        _ => pick(rng, &SCALARS).to_owned(),
    }
}

/// Gives a field a type; options that do not go with it are left out.
pub(super) fn retype(field: &mut Field, kind: &str) {
    field.kind = kind.to_owned();
    field.default = None;
    field.options.retain(|option| option.starts_with("json_name"));
    field.features.clear();
}

/// Gives a field an option that goes with its type.
pub(super) fn decorate(rng: &mut Rng, field: &mut Field) {
    let singular = matches!(field.presence, Presence::Explicit | Presence::Required) && field.oneof.is_none();
    match field.kind.as_str() {
        "string" | "bytes" if rng.bool() => {
            field.options.retain(|option| !option.starts_with("ctype"));
            field.options.push(format!("ctype = {}", pick(rng, &["STRING", "CORD", "STRING_PIECE"])));
        }
        "string" if rng.bool() => field.features = vec!["features.utf8_validation = NONE".to_owned()],
        "int64" | "uint64" | "fixed64" | "sfixed64" | "sint64" if rng.bool() => {
            field.options.retain(|option| !option.starts_with("jstype"));
            field.options.push(format!("jstype = {}", pick(rng, &["JS_NORMAL", "JS_STRING", "JS_NUMBER"])));
        }
        "Alpha" | "Beta" if rng.bool() => field.features = vec!["features.message_encoding = DELIMITED".to_owned()],
        "string" | "bytes" if singular => field.default = Some(pick(rng, &["\"\"", "\"one\"", "\"t\\\"wo\\001\""])),
        "bool" if singular => field.default = Some(pick(rng, &["true", "false"])),
        "float" | "double" if singular => field.default = Some(pick(rng, &["0", "1.1", "1e9", "inf", "-inf", "nan", "3"])),
        "ColourKind" if singular => field.default = Some(pick(rng, &["COLOUR_KIND_0", "COLOUR_KIND_1"])),
        kind if singular && SCALARS.contains(&kind) => field.default = Some(pick(rng, &["0", "1", "3", "2147483647"])),
        _ => {
            field.options.retain(|option| !option.starts_with("json_name"));
            let name = pick(rng, &["one", "two", "three"]);
            field.options.push(format!("json_name = \"{name}{}\"", field.number));
        }
    }
}

fn enumeration(rng: &mut Rng, name: &str) -> Enum {
    let mut item = Enum { name: name.to_owned(), ..Enum::default() };
    for number in 0..rng.i32(3..6) {
        item.values.push((format!("{}_{number}", prefix(name)), number));
    }
    if rng.bool() {
        item.values.push((format!("{}_ALIAS", prefix(name)), 1));
    }
    if rng.bool() {
        item.reserved = vec![(10, 10 + rng.i32(0..5)), (20, 22)];
        item.reserved_names = vec![format!("{}_OLD", prefix(name))];
    }
    item
}

/// `ColourKind` gives `COLOUR_KIND`.
pub(super) fn prefix(name: &str) -> String {
    name.replace("Kind", "_KIND").to_uppercase()
}

fn service(rng: &mut Rng, name: &str) -> Service {
    let method = |rng: &mut Rng, index: i32| Method {
        name: format!("Do{index}"),
        request: (rng.bool(), pick(rng, &MESSAGES).to_owned()),
        response: (rng.bool(), pick(rng, &MESSAGES).to_owned()),
        idempotency: pick(rng, &[None, Some("NO_SIDE_EFFECTS"), Some("IDEMPOTENT")]),
    };
    let methods = (1..=rng.i32(2..5)).map(|index| method(rng, index)).collect();
    Service { name: name.to_owned(), methods }
}

pub(super) fn pick<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    items[rng.usize(0..items.len())]
}
