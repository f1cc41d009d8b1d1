//! What became of an operation whose answer was lost.

use bytes::Bytes;

/// What became of an operation, found by its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// It had its effect; this is the answer that was given, or would have been.
    Done(Bytes),
    /// It has had no effect: it may be asked for again, under the same key.
    NotDone,
    /// It cannot be told, not even by looking: a person has to.
    Undecided,
}
