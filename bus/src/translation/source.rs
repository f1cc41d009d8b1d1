//! The texts of translation files, read with line and column in every error.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_saphyr::{Location, Spanned};

use super::written::{ExampleFile, File};

/// The text of one file, with the name to be told in errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The file's name as people know it.
    pub name: String,
    /// What is written in it.
    pub text: String,
}

/// All files of a set, read.
#[derive(Debug, Default)]
pub struct Sources {
    /// Translations, each with its file's name.
    pub files: Vec<(String, File)>,
    /// Examples, each with its file's name.
    pub(super) examples: Vec<(String, ExampleFile)>,
}

/// One thing that is wrong with translation files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `file:line:column`.
    pub place: String,
    /// What is wrong, and what would be right.
    pub message: String,
    /// Whether it may come right by itself: a contract that is not registered yet.
    pub waits: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

impl Sources {
    /// Reads all files.
    ///
    /// # Errors
    /// What is wrong with each file that is no YAML, or has unknown keys or values of the wrong sort.
    pub fn read(translations: &[Text], examples: &[Text]) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let files = translations.iter().filter_map(|text| parse(text, &mut problems)).collect();
        let examples = examples.iter().filter_map(|text| parse(text, &mut problems)).collect();
        if problems.is_empty() { Ok(Self { files, examples }) } else { Err(problems) }
    }
}

/// A problem with what is written somewhere.
pub(super) fn problem<T>(file: &str, written: &Spanned<T>, message: impl Into<String>) -> Problem {
    Problem { place: at(file, Some(written.referenced)), message: message.into(), waits: false }
}

fn at(file: &str, location: Option<Location>) -> String {
    match location {
        Some(at) if at != Location::UNKNOWN => format!("{file}:{}:{}", at.line(), at.column()),
        _ => file.to_owned(),
    }
}

fn parse<T: DeserializeOwned>(text: &Text, problems: &mut Vec<Problem>) -> Option<(String, T)> {
    let mut field = String::new();
    let parsed = serde_saphyr::with_deserializer_from_str(&text.text, |yaml| {
        serde_path_to_error::deserialize(yaml).map_err(|error| {
            // A place that remembers where it stands is a level of its own to the parser.
            field = error.path().to_string().replace("].value", "]");
            error.into_inner()
        })
    });
    match parsed {
        Ok(file) => Some((text.name.clone(), file)),
        Err(error) => {
            let error: serde_saphyr::Error = error;
            let error = error.without_snippet();
            let message = error.render();
            let message = message.rsplit_once(" at line ").map_or(message.clone(), |(message, _)| message.to_owned());
            let outside = field == "." || field.ends_with('?');
            let message = if outside { message } else { format!("{field}: {message}") };
            problems.push(Problem { place: at(&text.name, error.location()), message, waits: false });
            None
        }
    }
}
