//! The request's messages on their way from the bus to the adapter, held to the credit that was given.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::unfold;
use passerelle_adapter::{Fault, Messages, Rejection};
use passerelle_proto::adapter::v1::{CallRequest, CallResponse, Credit, call_request, call_response};
use tokio::sync::{Semaphore, mpsc};
use tonic::{Code, Status, Streaming};

use crate::limits::Limits;

/// What the bus still may be told: messages, credit, the end.
pub(crate) type Out = mpsc::Sender<Result<CallResponse, Status>>;

/// The messages as the adapter reads them; each one read is credit for another.
pub(crate) fn messages(inbox: mpsc::Receiver<Result<Bytes, Fault>>, out: Out) -> Messages {
    Messages::many(unfold((inbox, out), |(mut inbox, out)| async move {
        let next = inbox.recv().await?;
        if next.is_ok() {
            give_credit(&out).await;
        }
        Some((next, (inbox, out)))
    }))
}

async fn give_credit(out: &Out) {
    let credit = call_response::What::Credit(Credit { messages: 1 });
    // Nobody there: the call is over.
    let _ = out.send(Ok(CallResponse { what: Some(credit) })).await;
}

/// Reads what the bus says until it ends. An error: the bus did what it must not, and the call is to be cut off.
pub(crate) async fn read(
    mut requests: Streaming<CallRequest>,
    inbox: mpsc::Sender<Result<Bytes, Fault>>,
    credits: Arc<Semaphore>,
    limits: Limits,
) -> Result<(), Status> {
    loop {
        let what = match requests.message().await {
            Ok(Some(request)) => request.what,
            Ok(None) => return Ok(()),
            Err(status) => {
                // The last of it; the inbox has a place more than there is credit.
                let _ = inbox.try_send(Err(broken(&status, limits)));
                return Ok(());
            }
        };
        match what {
            Some(call_request::What::Credit(credit)) => add(&credits, credit.messages),
            Some(call_request::What::Message(message)) => {
                let message = check(message, limits);
                let last = message.is_err();
                if inbox.capacity() == 1 {
                    return Err(Status::resource_exhausted(format!(
                        "a message came without credit: {} were unread, as many as may be",
                        limits.first_credits
                    )));
                }
                // Closed: the adapter reads no further, which it need not.
                if inbox.try_send(message).is_err() || last {
                    return drain(requests, credits).await;
                }
            }
            // The bus's side stays open: the adapter reads the end of its messages, and credit goes on.
            Some(call_request::What::End(_)) => {
                drop(inbox);
                return drain(requests, credits).await;
            }
            Some(call_request::What::Start(_)) => {
                return Err(Status::invalid_argument("a call has one `start`, its first message"));
            }
            // A newer bus says something that this version does not know.
            None => {}
        }
    }
}

/// What nobody reads any more is passed over, credit is not.
async fn drain(mut requests: Streaming<CallRequest>, credits: Arc<Semaphore>) -> Result<(), Status> {
    while let Ok(Some(request)) = requests.message().await {
        if let Some(call_request::What::Credit(credit)) = request.what {
            add(&credits, credit.messages);
        }
    }
    Ok(())
}

pub(crate) fn add(credits: &Semaphore, more: u32) {
    let room = Semaphore::MAX_PERMITS - credits.available_permits();
    credits.add_permits(room.min(more as usize));
}

/// Holds a message to its limit.
pub(crate) fn check(message: Bytes, limits: Limits) -> Result<Bytes, Fault> {
    match message.len() > limits.message_bytes as usize {
        false => Ok(message),
        true => Err(too_long(&format!("has {} bytes", message.len()), limits)),
    }
}

fn broken(status: &Status, limits: Limits) -> Fault {
    match status.code() {
        // tonic's own word for a message over the limit of its decoder.
        Code::OutOfRange => too_long("is far longer", limits),
        _ => Fault::unknown("the bus broke the request off"),
    }
}

fn too_long(what: &str, limits: Limits) -> Fault {
    let text = format!("a message {what}, the adapter's limit is {} bytes", limits.message_bytes);
    Fault::rejected(Rejection::Invalid, text)
}
