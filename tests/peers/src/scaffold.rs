//! What adapters that `passerelle adapter new` begins are run with.

use std::path::PathBuf;

use crate::install;

/// A Python that has what the sample requires, and pyflakes and mypy; `None` when it is not installed and peers are not required.
pub fn python() -> Option<PathBuf> {
    install::installed("scaffold", install::folder().join("scaffold/bin/python"))
}
