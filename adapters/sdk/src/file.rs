//! The file that an integrator writes for an adapter, read with line and column.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_saphyr::{DefaultMessageFormatter, MessageFormatter};

use crate::OpenError;

/// The largest file that is read, in bytes.
const LIMIT_BYTES: usize = 1 << 20;

impl OpenError {
    /// Something is wrong with the file as a whole; `path` is the file's.
    pub fn of_file(path: &Path, message: impl std::fmt::Display) -> Self {
        Self(format!("{}: {message}", path.display()))
    }
}

/// Reads YAML, hence JSON too, of at most 1 MiB; `path` is for messages only.
///
/// # Errors
/// Says file, line and column, and the path of the field where one is concerned.
pub fn read<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, OpenError> {
    if text.len() > LIMIT_BYTES {
        let length = text.len();
        return Err(OpenError::of_file(path, format_args!("the file is {length} bytes, the limit is {LIMIT_BYTES}")));
    }
    yaml(text).map_err(|Misread { error, field }| {
        let error = error.without_snippet();
        let message = DefaultMessageFormatter.format_message(error);
        let message = if field.is_empty() { message } else { format!("{field}: {message}").into() };
        match error.location().filter(|at| at.line() > 0) {
            Some(at) => OpenError(format!("{}:{}:{}: {message}", path.display(), at.line(), at.column())),
            None => OpenError::of_file(path, message),
        }
    })
}

/// YAML that is not what it should be.
#[derive(Debug)]
pub struct Misread {
    /// What is wrong, and where in the text.
    pub error: Box<serde_saphyr::Error>,
    /// The path of the field that it is about, as `limits.calls`; empty where it is outside every field, or between two.
    pub field: String,
}

/// Reads YAML, hence JSON too, of any size.
///
/// # Errors
/// What is wrong, with the path of the field.
pub fn yaml<T: DeserializeOwned>(text: &str) -> Result<T, Misread> {
    let mut field = String::new();
    let parsed = serde_saphyr::with_deserializer_from_str(text, |yaml| {
        serde_path_to_error::deserialize(yaml).map_err(|error| {
            field = error.path().to_string();
            error.into_inner()
        })
    });
    parsed.map_err(|error: serde_saphyr::Error| {
        // An error outside every field, and one between two fields.
        let field = if field == "." || field.ends_with('?') { String::new() } else { field };
        Misread { error: Box::new(error), field }
    })
}

/// What a name in the integrator's file means: relative to the file's folder.
pub fn beside(file: &Path, name: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(name)
}
