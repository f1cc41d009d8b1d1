//! Files that people write, read with line and column in every error.

use passerelle_adapter::Misread;
use serde::de::DeserializeOwned;
use serde_saphyr::{Location, Spanned};

/// The text of one file, with the name to be told in errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The file's name as people know it.
    pub name: String,
    /// What is written in it.
    pub text: String,
}

/// A text that is not what it should be.
pub(crate) struct Unread {
    /// `file:line:column`.
    pub(crate) place: String,
    /// What is wrong, with the path of the field.
    pub(crate) message: String,
}

/// Reads YAML.
pub(crate) fn read<T: DeserializeOwned>(Text { name, text }: &Text) -> Result<T, Unread> {
    passerelle_adapter::yaml(text).map_err(|Misread { error, field }| {
        // A place that remembers where it stands is a level of its own to the parser.
        let field = field.replace("].value", "]");
        let error = error.without_snippet();
        let text = error.render();
        let message = text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned());
        let message = if field.is_empty() { message } else { format!("{field}: {message}") };
        Unread { place: at(name, error.location()), message }
    })
}

/// Where something stands in a file: `file:line:column`.
pub(crate) fn place<T>(file: &str, written: &Spanned<T>) -> String {
    at(file, Some(written.referenced))
}

fn at(file: &str, location: Option<Location>) -> String {
    match location {
        Some(at) if at != Location::UNKNOWN => format!("{file}:{}:{}", at.line(), at.column()),
        _ => file.to_owned(),
    }
}
