//! Names by the word they begin with: a text may define thousands, and each use looks for the longest that fits.

use std::collections::HashMap;
use std::sync::Arc;

use super::name::continues;

/// Names, each with a number that says which of two of the same name is the later one.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<Box<str>, Vec<(Arc<str>, usize)>>);

/// The word that a name or a text begins with; names that begin with a sign have none.
fn head(text: &str) -> &str {
    &text[..text.find(|c| !continues(c)).unwrap_or(text.len())]
}

impl Names {
    pub(super) fn add(&mut self, name: &Arc<str>, number: usize) {
        let head = head(name);
        match self.0.get_mut(head) {
            Some(known) => known.push((name.clone(), number)),
            None => {
                self.0.insert(head.into(), vec![(name.clone(), number)]);
            }
        }
    }

    /// Takes the name back that was added last of all.
    pub(super) fn take_back(&mut self, name: &str) {
        if let Some(known) = self.0.get_mut(head(name)) {
            known.pop();
        }
    }

    /// The names that a text may begin with.
    pub(super) fn candidates(&self, text: &str) -> &[(Arc<str>, usize)] {
        self.0.get(head(text)).map_or(&[], Vec::as_slice)
    }

    /// The number of the latest of this name.
    pub(super) fn latest(&self, name: &str) -> Option<usize> {
        let found = self.candidates(name).iter().rev().find(|(known, _)| **known == *name)?;
        Some(found.1)
    }
}
