//! The texts of translation files, read with line and column in every error.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_saphyr::Spanned;

use super::written::{ExampleFile, File};
use crate::written::{self, Text, Unread};

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
pub(super) fn problem<T>(file: &str, value: &Spanned<T>, message: impl Into<String>) -> Problem {
    Problem { place: written::place(file, value), message: message.into(), waits: false }
}

fn parse<T: DeserializeOwned>(text: &Text, problems: &mut Vec<Problem>) -> Option<(String, T)> {
    match written::read(text) {
        Ok(file) => Some((text.name.clone(), file)),
        Err(Unread { place, message }) => {
            problems.push(Problem { place, message, waits: false });
            None
        }
    }
}
