//! How far the tables have got, and whether they follow.

use std::sync::Arc;

use passerelle_journal::Position;

use crate::Stopped;

/// A moment of the projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Everything up to here is in all tables.
    pub position: Position,
    /// Everything up to here stays in all tables after a power cut, too. Known only as far as [`secure`](crate::Projection::secure) asked for it.
    pub secured: Position,
    /// Whether it follows.
    pub health: Health,
}

/// Whether the projection follows the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It builds up to what was in the journal at the start; until then its views are old.
    Building {
        /// The record that it builds up to.
        to: Position,
    },
    /// It follows.
    Following,
    /// It waits for something that clears by itself: room on the disk, a reader that holds the write-ahead log.
    Held(Arc<str>),
    /// It does not follow any more.
    Stopped(Stopped),
}
