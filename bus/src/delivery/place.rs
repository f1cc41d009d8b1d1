//! Where a message is: its record, and which one of it.

use std::fmt;

/// Place of a message in the journal. Places are in the order in which messages were published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Position of the record.
    pub position: u64,
    /// Which of the record's messages, from 0.
    pub index: u32,
}

impl Place {
    /// The first place of a record.
    #[must_use]
    pub fn first_of(position: u64) -> Self {
        Self { position, index: 0 }
    }

    /// The place after this one, whether or not there is a message.
    #[must_use]
    pub fn next(self) -> Self {
        Self { position: self.position, index: self.index + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.position, self.index)
    }
}
