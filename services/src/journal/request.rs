//! The requests that carry messages, on the wire what the contract says, in memory with the messages as the bytes they came in.
//!
//! A message is checked where it lies (see [`super::message`]) and written as it is: taken apart into strings and put together
//! again it would cost more than all the rest of its way to the disk.

use bytes::Bytes;

/// `passerelle.bus.v1.PublishRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PublishRequest {
    /// `passerelle.bus.v1.Message`, encoded.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(super) messages: Vec<Bytes>,
    /// `passerelle.AcknowledgementLevel`.
    #[prost(int32, tag = "2")]
    pub(super) acknowledge: i32,
}

/// `passerelle.bus.v1.PublishStreamRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PublishStreamRequest {
    /// `passerelle.bus.v1.Message`, encoded.
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) message: Bytes,
}
