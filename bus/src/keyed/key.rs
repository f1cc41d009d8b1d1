//! A key as the journal has it: `<kind>/<key>`.

use std::sync::Arc;

use passerelle_journal::{AppendError, KeyStep};

use super::Decider;

/// The journal's key of one thing. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    whole: Arc<str>,
    kind: usize,
}

impl Key {
    /// Longest key without its kind, in bytes.
    pub(super) const LONGEST: usize = 400;

    pub(super) fn new<D: Decider>(key: &str) -> Result<Self, AppendError> {
        if key.is_empty() || key.len() > Self::LONGEST {
            return Err(AppendError::TooLarge(format!("a key of {} bytes, 1 to {} are taken", key.len(), Self::LONGEST)));
        }
        let whole: Arc<str> = format!("{}/{key}", D::KIND).into();
        if whole.len() > KeyStep::LONGEST_KEY {
            return Err(AppendError::TooLarge(format!("a key of {} bytes with its kind", whole.len())));
        }
        Ok(Self { whole, kind: D::KIND.len() })
    }

    /// With its kind.
    pub(super) fn whole(&self) -> &Arc<str> {
        &self.whole
    }

    /// Without its kind.
    pub(super) fn plain(&self) -> &str {
        &self.whole[self.kind + 1..]
    }
}
