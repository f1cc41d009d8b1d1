//! Messages of the contract in and out, and the faults that are written often.

use bytes::Bytes;
use passerelle_adapter::{Fault, Messages, Rejection};
use prost::Message;

/// The one message of a unary request. What is wrong with it is not repeated: it may hold a field's value.
pub(crate) async fn one<M: Message + Default>(messages: Messages) -> Result<M, Fault> {
    M::decode(messages.into_one().await?).map_err(|_| invalid("the message is not one of this method"))
}

/// A message as bytes.
pub(crate) fn bytes(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// The caller has made a mistake.
pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::rejected(Rejection::Invalid, message)
}

/// There is no such customer.
pub(crate) fn not_found() -> Fault {
    Fault::rejected(Rejection::NotFound, "there is no such customer")
}

/// It is not as the caller expects.
pub(crate) fn conflict(message: &str) -> Fault {
    Fault::rejected(Rejection::Conflict, message)
}

/// The customer has been changed since the caller read him.
pub(crate) fn changed() -> Fault {
    conflict("the customer has another version: read him anew")
}

/// The number is not free.
pub(crate) fn number_taken() -> Fault {
    conflict("the number is another customer's")
}

/// The CRM cannot do that.
pub(crate) fn unable(driver: &str, what: &str) -> Fault {
    Fault::Unimplemented { message: format!("this CRM ({driver}) {what}; Describe tells what it can do") }
}

/// The number behind an id; ids that no driver gave are nobody's.
pub(crate) fn row(id: &str) -> Option<i64> {
    id.parse().ok().filter(|row: &i64| *row > 0 && row.to_string() == id)
}
