//! Protobuf messages in and out of a call's streams.

use bytes::Bytes;
use passerelle_adapter::{Fault, Messages, Rejection};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Answers that may wait for a peer that does not read; a slower one is taken for gone.
pub(crate) const WAITING: usize = 32;

/// Where a call's answers go in.
pub(crate) type Answers = mpsc::Sender<Result<Bytes, Fault>>;

/// The answers of a call, and where they go in.
pub(crate) fn answers() -> (Answers, Messages) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (sender, Messages::many(ReceiverStream::new(receiver)))
}

/// The next message of the caller; `None` at the end, or when he broke off.
pub(crate) async fn next<M: Message + Default>(messages: &mut Messages) -> Option<Result<M, Fault>> {
    let bytes = messages.next().await?;
    Some(bytes.and_then(|bytes| M::decode(bytes).map_err(|error| invalid(format!("the message is not understood: {error}")))))
}

/// The caller has made a mistake.
pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::rejected(Rejection::Invalid, message)
}

/// A text that must have at least one byte and at most `most`.
pub(crate) fn bounded(what: &str, text: &str, most: usize) -> Result<(), Fault> {
    match text.len() {
        0 => Err(invalid(format!("{what} is empty"))),
        length if length > most => Err(invalid(format!("{what} has {length} bytes, at most {most} are taken"))),
        _ => Ok(()),
    }
}
