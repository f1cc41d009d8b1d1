//! What can be wrong with settings, and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::explain::Code;

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No file was named and there is none at the usual place.
    #[error(
        "there is no settings file {} here: name one with --settings FILE, or begin with `passerelle reference sample > passerelle.yaml`",
        .usual.display()
    )]
    Missing {
        /// The usual place.
        usual: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read the settings file {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no YAML, has an unknown key, or a value of the wrong sort.
    #[error("{0}")]
    Unparsable(Problem),
    /// An environment variable of ours cannot be used.
    #[error("{0}")]
    Environment(Problem),
    /// Values that are well formed but cannot be used.
    #[error("{}", lines(.0))]
    Refused(Vec<Problem>),
}

impl Error {
    /// The code under which `passerelle explain` has the way out.
    pub fn code(&self) -> Code {
        match self {
            Self::Missing { .. } | Self::Unreadable { .. } => Code::SETTINGS_UNREADABLE,
            Self::Unparsable(_) => Code::SETTINGS_UNPARSABLE,
            Self::Refused(_) => Code::SETTINGS_REFUSED,
            Self::Environment(_) => Code::ENVIRONMENT_REFUSED,
        }
    }
}

/// One thing that is wrong: where, in which field, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `file:line:column`, or the environment variable's name.
    pub place: String,
    /// The field's path; empty for the whole.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, field, message } = self;
        match field.as_str() {
            "" => write!(formatter, "{place}: {message}"),
            field => write!(formatter, "{place}: {field}: {message}"),
        }
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}
