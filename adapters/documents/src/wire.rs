//! Messages of the contract in and out, and the faults that are written often.

use bytes::Bytes;
use passerelle_adapter::{Fault, Messages, Rejection};
use prost::Message;

/// The one message of a unary request.
pub(crate) async fn one<M: Message + Default>(messages: Messages) -> Result<M, Fault> {
    decode(messages.into_one().await?)
}

/// A message of the contract. What is wrong with it is not repeated: it may hold a field's value.
pub(crate) fn decode<M: Message + Default>(bytes: Bytes) -> Result<M, Fault> {
    M::decode(bytes).map_err(|_| invalid("the message is not one of this method"))
}

/// An answer of one message.
pub(crate) fn answer(message: &impl Message) -> Messages {
    Messages::one(message.encode_to_vec())
}

/// The caller has made a mistake.
pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::rejected(Rejection::Invalid, message)
}

/// There is no such document, or no such version.
pub(crate) fn not_found() -> Fault {
    Fault::rejected(Rejection::NotFound, "there is no such document or version")
}

/// It is not as the caller expects.
pub(crate) fn conflict(message: &str) -> Fault {
    Fault::rejected(Rejection::Conflict, message)
}

/// The store cannot do that.
pub(crate) fn unable(driver: &str, what: &str) -> Fault {
    Fault::Unimplemented { message: format!("this store ({driver}) {what}; Describe tells what it can do") }
}
