//! Errors in the integrator's files: file, line, column, and what to write instead.

use std::path::Path;

use passerelle_copybook::{LockError, SyntaxError};
use serde_saphyr::Location;

/// A file cannot be used; the text says where (`accounts.yaml:12:5`) and what next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FileError(String);

impl FileError {
    pub(crate) fn at(path: &Path, location: Location, message: impl Into<String>) -> Self {
        match location.line() {
            // The parser knows no place.
            0 => Self::whole(path, message),
            line => Self(format!("{}:{line}:{}: {}", path.display(), location.column(), message.into())),
        }
    }

    pub(crate) fn whole(path: &Path, message: impl Into<String>) -> Self {
        Self(format!("{}: {}", path.display(), message.into()))
    }

    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self(format!("cannot read {}: {error}", path.display()))
    }
}

/// Names file, line and column by itself.
impl From<SyntaxError> for FileError {
    fn from(error: SyntaxError) -> Self {
        Self(error.to_string())
    }
}

/// Names its file by itself.
impl From<LockError> for FileError {
    fn from(error: LockError) -> Self {
        Self(error.to_string())
    }
}
