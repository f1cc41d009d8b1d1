//! What another process receives: asked for with credit, settled by id, begun anew on another connection.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use passerelle_adapter::{Fault, Received, Receiving, async_trait};
use passerelle_proto::adapter::v1::{self, Credit, OpenRequest, OpenResponse, Refused, Taken, open_request};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::link::Session;

/// Things that may be handed over and not settled.
const CREDITS: u32 = 128;
/// Bytes of one of them that are read. The bus takes fewer, and refuses what is over its limit with a reason.
const MESSAGE_BYTES: usize = 8 << 20;
/// Bytes of an id at most, as the contract says.
const LONGEST_ID: usize = 256;

/// One stream of the port's `Open`.
pub(crate) struct RemoteReceiving {
    stream: Stream,
    /// Never more waits here than was handed over.
    out: mpsc::UnboundedSender<OpenRequest>,
    /// Credit for what was settled, not given back yet.
    owed: u32,
}

/// An adapter may say nothing at all until something came in.
enum Stream {
    Opening(BoxFuture<'static, Result<Streaming<OpenResponse>, Status>>),
    Open(Box<Streaming<OpenResponse>>),
}

impl RemoteReceiving {
    pub(crate) fn begin(session: Session) -> Self {
        let (out, requests) = mpsc::unbounded_channel();
        let mut client = session.client.max_decoding_message_size(MESSAGE_BYTES);
        let opening = async move { client.open(UnboundedReceiverStream::new(requests)).await.map(tonic::Response::into_inner) };
        let mut receiving = Self { stream: Stream::Opening(opening.boxed()), out, owed: CREDITS };
        receiving.give_credit();
        receiving
    }

    fn give_credit(&mut self) {
        let credit = Credit { messages: std::mem::take(&mut self.owed) };
        // Nobody there: told by the next one that is waited for.
        let _ = self.out.send(OpenRequest { what: Some(open_request::What::Credit(credit)) });
    }

    fn settle(&mut self, what: open_request::What) -> Result<(), Fault> {
        let lost = |_| Fault::unavailable("the adapter does not listen any more to what was taken");
        self.out.send(OpenRequest { what: Some(what) }).map_err(lost)?;
        self.owed += 1;
        if self.owed >= CREDITS / 2 {
            self.give_credit();
        }
        Ok(())
    }
}

#[async_trait]
impl Receiving for RemoteReceiving {
    async fn next(&mut self) -> Result<Received, Fault> {
        loop {
            match &mut self.stream {
                Stream::Opening(opening) => {
                    self.stream = Stream::Open(Box::new(opening.await.map_err(|status| broken(&status))?))
                }
                Stream::Open(stream) => match stream.message().await.map_err(|status| broken(&status))? {
                    None => return Err(Fault::unavailable("the adapter has closed the stream of what it receives")),
                    Some(response) => {
                        if let Some(received) = response.received {
                            return received_of(received);
                        }
                        // A newer adapter says something that this version does not know.
                    }
                },
            }
        }
    }

    async fn taken(&mut self, id: &str) -> Result<(), Fault> {
        self.settle(open_request::What::Taken(Taken { id: id.to_owned() }))
    }

    async fn refused(&mut self, id: &str, reason: &str) -> Result<(), Fault> {
        self.settle(open_request::What::Refused(Refused { id: id.to_owned(), reason: reason.to_owned() }))
    }
}

fn received_of(received: v1::Received) -> Result<Received, Fault> {
    let v1::Received { id, r#type, subject, time, data } = received;
    if id.is_empty() || id.len() > LONGEST_ID {
        let text = format!("the adapter handed something over whose id has {} bytes; 1 to {LONGEST_ID} are right", id.len());
        return Err(Fault::unknown(text));
    }
    Ok(Received { id, kind: r#type, subject, time: time.and_then(|time| time.try_into().ok()), data })
}

fn broken(status: &Status) -> Fault {
    let message = format!("the adapter hands nothing over: {:?}: {}", status.code(), status.message());
    match status.code() {
        Code::Unimplemented => Fault::Unimplemented { message },
        _ => Fault::unavailable(message),
    }
}
