//! Errors in the integrator's file: file, line, column, and what to write instead.

use std::path::{Path, PathBuf};

use serde_saphyr::Location;

/// A file cannot be used; the text says where (`accounts.yaml:12:5`) and what next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", self.place())]
pub struct FileError {
    path: PathBuf,
    /// Line and column, from 1; zero when the whole file is meant.
    line: u64,
    column: u64,
    message: String,
}

impl FileError {
    pub(crate) fn at(path: &Path, location: Location, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: location.line(), column: location.column(), message: message.into() }
    }

    pub(crate) fn whole(path: &Path, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: 0, column: 0, message: message.into() }
    }

    fn place(&self) -> String {
        match self.line {
            0 => self.path.display().to_string(),
            line => format!("{}:{line}:{}", self.path.display(), self.column),
        }
    }
}
