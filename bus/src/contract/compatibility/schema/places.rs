//! Where descriptors were written: file, line and column, from the source information of an image.

use std::collections::HashMap;
use std::fmt;

use prost::{DecodeError, Message};

use super::options::SourceCodeInfo;

/// A place in a `.proto` file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Import path of the file.
    pub file: String,
    /// Line and column, counting from 1; `None` where the image does not say (reflection never does), or nothing is there any more.
    pub position: Option<(u32, u32)>,
}

impl Place {
    /// Somewhere in a file.
    pub(crate) fn in_file(file: &str) -> Self {
        Self { file: file.to_owned(), position: None }
    }
}

/// `accounts.proto:12:3`.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some((line, column)) => write!(formatter, "{}:{line}:{column}", self.file),
            None => formatter.write_str(&self.file),
        }
    }
}

/// The places of one file by descriptor path (`SourceCodeInfo.Location.path`).
#[derive(Debug, Default)]
pub(crate) struct Places(HashMap<Vec<i32>, (u32, u32)>);

impl Places {
    /// Reads what an image says, if it does.
    pub(crate) fn of(chunks: &[Vec<u8>]) -> Result<Self, DecodeError> {
        let info = SourceCodeInfo::decode(chunks.concat().as_slice())?;
        let mut places = HashMap::with_capacity(info.location.len());
        for location in info.location {
            let [line, column, ..] = location.span.as_slice() else { continue };
            let (Ok(line), Ok(column)) = (u32::try_from(*line), u32::try_from(*column)) else { continue };
            // An `extend` block may stand several times: the first is as good as any.
            places.entry(location.path).or_insert((line.saturating_add(1), column.saturating_add(1)));
        }
        Ok(Self(places))
    }

    /// The place of a path in `file`, if it is known.
    pub(crate) fn find(&self, file: &str, path: &[i32]) -> Option<Place> {
        let position = *self.0.get(path)?;
        Some(Place { file: file.to_owned(), position: Some(position) })
    }
}
