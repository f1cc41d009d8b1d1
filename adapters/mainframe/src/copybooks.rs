//! The copybooks that an integrator's file names: read once each, and the messages made of their records.

use std::collections::BTreeMap;
use std::path::Path;

use passerelle_adapter::beside;
use passerelle_copybook::{Copybook, Item, LayoutError, MessageModel, MessageRules, limits, models};

use crate::file::{File, FileError, Operation};

/// All copybooks of a file, by the name written in it.
#[derive(Debug)]
pub(crate) struct Copybooks(BTreeMap<String, Copybook>);

impl Copybooks {
    /// Reads them; relative names are relative to the folder of `path`, the integrator's file.
    pub(crate) fn read(path: &Path, file: &File) -> Result<Self, FileError> {
        let mut books = BTreeMap::new();
        for (name, operation) in &file.operations {
            for rules in [&operation.value.request, &operation.value.response] {
                if books.contains_key(&rules.copybook) {
                    continue;
                }
                let book = read(&beside(path, Path::new(&rules.copybook)))
                    .map_err(|problem| FileError::at(path, operation.referenced, format!("operation {name}: {problem}")))?;
                books.insert(rules.copybook.clone(), book);
            }
        }
        Ok(Self(books))
    }

    /// The record that a message is made of.
    pub(crate) fn record(&self, rules: &MessageRules) -> Result<&Item, LayoutError> {
        let missing = || LayoutError { item: rules.copybook.clone(), message: "the copybook was not read".into() };
        self.0.get(&rules.copybook).ok_or_else(missing)?.record(rules.record.as_deref())
    }

    /// The messages of an operation, without field numbers yet.
    pub(crate) fn messages(&self, name: &str, operation: &Operation) -> Result<(MessageModel, MessageModel), LayoutError> {
        let request = (self.record(&operation.request)?, &operation.request);
        let response = (self.record(&operation.response)?, &operation.response);
        models(name, request, response, &operation.fields)
    }
}

/// Reads one copybook. The error says which file and, for its text, which line.
pub(crate) fn read(path: &Path) -> Result<Copybook, FileError> {
    let unreadable = |error| FileError::unreadable(path, &error);
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > limits::SOURCE_BYTES as u64 {
        return Err(FileError::whole(path, format!("the copybook is {size} bytes, the limit is {}", limits::SOURCE_BYTES)));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    // Old sources have accents of ISO 8859-1 in their comments.
    let text = String::from_utf8(bytes).unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
    Ok(Copybook::parse(&path.display().to_string(), &text)?)
}
