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
/// Says file, line and column.
pub fn read<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, OpenError> {
    if text.len() > LIMIT_BYTES {
        let length = text.len();
        return Err(OpenError::of_file(path, format_args!("the file is {length} bytes, the limit is {LIMIT_BYTES}")));
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let message = DefaultMessageFormatter.format_message(error);
        match error.location().filter(|at| at.line() > 0) {
            Some(at) => OpenError(format!("{}:{}:{}: {message}", path.display(), at.line(), at.column())),
            None => OpenError::of_file(path, message),
        }
    })
}

/// What a name in the integrator's file means: relative to the file's folder.
pub fn beside(file: &Path, name: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(name)
}
