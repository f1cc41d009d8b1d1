//! Patterns of enterprise integration that hold state: messages that were published come in, others go out, and what is held meanwhile is
//! durable, bounded, and over after a while.
//!
//! A pattern is read from a route file (`written`) and compiled (`set`). One at work reads what was published as a delivery does, and has
//! each message decided on under its key by one decider (`decide`, and a file for each pattern): the record carries the message that is
//! held, what is published and the timers, so that all of it is there after a crash, or none. The id of a message is its idempotency key:
//! one that is given twice has one effect. What is published is in the record's outbox, and is seen like what others published
//! ([`published`]). A message names the patterns that it passed through; one that passed through [`MOST_PATTERNS`] is given up.

mod aggregate;
mod ask;
mod decide;
mod engine;
mod recipients;
mod resequence;
mod rule;
mod set;
#[cfg(test)]
mod set_tests;
mod split;
mod state;
mod step;
mod written;

use passerelle_proto::bus::v1::{Message, Record};

pub use self::decide::{Command, Decide, Refusal};
pub use self::engine::{Held, OpenError, PatternStatus, Patterns, SwitchError};
pub use self::set::Set;
pub use self::written::{
    Aggregate, Bounds, Detour, Incomplete, Late, Pattern, Publish, Recipients, RequestReply, Resequence, ScatterGather, Split,
    Tap, Text,
};
use crate::keyed::Decider as _;

pub(crate) use self::decide::Bury;

/// Patterns that a message may pass through, so that no loop goes on.
pub const MOST_PATTERNS: usize = 16;

/// Bytes of all that one step publishes; those of the largest message.
pub(crate) const LARGEST: usize = 1 << 20;

/// The messages of a record that others are to see: what was published, and what patterns publish.
#[must_use]
pub fn published(record: Record) -> Vec<Message> {
    match record.kind.as_str() {
        "" => record.events,
        Decide::KIND => record.outbox,
        _ => Vec::new(),
    }
}
