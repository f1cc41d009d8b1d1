//! Receiving: what comes from the system behind is handed over one by one, and kept until it is settled.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Fault;

/// Something that came from the system behind, in the terms of CloudEvents 1.0.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// Names it for ever, 1 to 256 bytes: the same thing handed over again has the same id, and becomes one record.
    pub id: String,
    /// What happened: the full name of the message type in `data`, at most 256 bytes.
    pub kind: String,
    /// What it is about, at most 256 bytes; what has the same subject stays in order. May be empty.
    pub subject: String,
    /// When it happened there.
    pub time: Option<SystemTime>,
    /// The message, as protobuf bytes of `kind`; together with the names at most 1 MiB.
    pub data: Bytes,
}

impl fmt::Debug for Received {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Subject and data may be personal: never printed.
        write!(formatter, "Received({}, {} bytes)", self.kind, self.data.len())
    }
}

/// The hand-over of what comes in. There is one at a time for each adapter; what was not settled when it is dropped is handed over
/// again by the next one, in the same order and under the same ids.
#[async_trait]
pub trait Receiving: Send {
    /// The next thing, waited for without end. Asked only while there is room for it, which is all the flow control there is.
    ///
    /// Dropping the returned future loses nothing. After a fault the hand-over is of no use any more.
    async fn next(&mut self) -> Result<Received, Fault>;

    /// It is on disk: it may be forgotten, and the system behind told so.
    async fn taken(&mut self, id: &str) -> Result<(), Fault>;

    /// It will never be taken: it is kept aside and told to people, and does not hold up what comes after it.
    async fn refused(&mut self, id: &str, reason: &str) -> Result<(), Fault>;
}
