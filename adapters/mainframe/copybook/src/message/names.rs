//! Names: from COBOL's to protobuf's, valid and unique, the same for the same copybook every time.

use std::collections::BTreeSet;

/// Words of a COBOL name in lower case, joined by underscores: `CA-ACC-NO` is `ca_acc_no`.
pub(crate) fn snake(name: &str, strip_prefix: Option<&str>) -> String {
    let name = strip_prefix
        .filter(|prefix| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
        .map(|prefix| &name[prefix.len()..])
        .filter(|rest| rest.contains(|c: char| c.is_ascii_alphanumeric()))
        .unwrap_or(name);
    let words: Vec<String> = words(name).map(str::to_ascii_lowercase).collect();
    let joined = words.join("_");
    match joined.chars().next() {
        None => "field".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("f_{joined}"),
        Some(_) => joined,
    }
}

/// `ca_acc_no` is `CaAccNo`.
pub(crate) fn camel(snake: &str) -> String {
    words(snake).map(capital).collect()
}

/// `AccountType` is `ACCOUNT_TYPE`.
pub(crate) fn upper(camel: &str) -> String {
    let mut upper = String::new();
    let mut before = '_';
    for character in camel.chars() {
        if character.is_ascii_uppercase() && before != '_' && !before.is_ascii_uppercase() {
            upper.push('_');
        }
        upper.push(character.to_ascii_uppercase());
        before = character;
    }
    upper
}

/// Name in proto3 JSON, as protoc makes it: no underscores, a capital behind each.
pub(crate) fn json(field: &str) -> String {
    let mut json = String::new();
    let mut capital = false;
    for character in field.chars() {
        if character == '_' {
            capital = true;
        } else {
            json.push(if capital { character.to_ascii_uppercase() } else { character });
            capital = false;
        }
    }
    json
}

/// Whether protobuf takes it as an identifier.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

/// Names in use in one message: fields, types, enum values and oneofs share one scope in protobuf.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    taken: BTreeSet<String>,
}

impl Scope {
    /// Takes a name that must be free; whether it was.
    pub(crate) fn claim(&mut self, name: &str) -> bool {
        self.taken.insert(key(name))
    }

    /// Takes a name, with a number behind it if it is in use.
    pub(crate) fn unique(&mut self, name: String) -> String {
        if self.claim(&name) {
            return name;
        }
        let mut number = 2u32;
        loop {
            let next = format!("{name}_{number}");
            if self.claim(&next) {
                return next;
            }
            number += 1;
        }
    }
}

/// Two names with one key would be one name in JSON or in a language that writes them otherwise. Fields and types differ by their
/// first letter's case.
fn key(name: &str) -> String {
    let mut key: String = name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect();
    if name.starts_with(|c: char| c.is_ascii_uppercase()) {
        key.insert(0, '^');
    }
    key
}
