//! The journal: the one truth, on disk before it is acknowledged.
//!
//! [`Journal`] is the port, its laws are functions in passerelle-conformance. [`memory`] is for tests; [`log`] is the embedded engine.
//! The journal does not look into the bytes of a record: what it must know of them (key, sequence, what makes them a repetition)
//! stands beside them in an [`Entry`].

mod durability;
mod entry;
mod journal;
pub mod log;
pub mod memory;
pub mod storage;

pub use durability::Durability;
pub use entry::{Entry, Fingerprint, KeyStep, Position, Stored};
pub use journal::{Answer, AppendError, History, Journal, KeysPage, Outcome, ReadError, Receipt};
