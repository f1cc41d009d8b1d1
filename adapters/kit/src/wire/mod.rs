//! An adapter over the wire: the connection, the client that laws of the wire speak by, the adapter made of it, the process.

mod adapter;
mod connection;
mod fault;
mod plain;
mod process;
mod subject;

use std::sync::Arc;

use passerelle_proto::adapter::v1::adapter_client::AdapterClient;
use passerelle_proto::adapter::v1::{CallRequest, CallResponse, Start, call_request};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Request, Status, Streaming};

pub(crate) use adapter::WireAdapter;
pub(crate) use connection::Connection;
pub(crate) use fault::{Unclassified, class};
pub(crate) use plain::Plain;
pub(crate) use subject::WireSubject;

/// The generated client, on one connection.
pub(crate) type Client = AdapterClient<Connection>;

/// How messages of the largest size that gRPC knows are read: the limits are the adapter's to keep.
const MESSAGE_MAX: usize = 64 << 20;

/// The way to an adapter over the wire; connects anew when the connection has ended.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    endpoint: Arc<str>,
    connection: Arc<Mutex<Option<Connection>>>,
}

impl Wire {
    pub(crate) fn new(endpoint: &str) -> Self {
        Self { endpoint: endpoint.into(), connection: Arc::default() }
    }

    /// A client on the open connection, or on a new one.
    pub(crate) async fn client(&self) -> Result<Client, String> {
        let origin = http::Uri::from_static("http://adapter");
        let client = Client::with_origin(self.connection().await?, origin);
        Ok(client.max_decoding_message_size(MESSAGE_MAX).max_encoding_message_size(MESSAGE_MAX))
    }

    /// Leaves the open connection: a killed process may not have closed it yet.
    pub(crate) async fn forget(&self) {
        *self.connection.lock().await = None;
    }

    /// The open connection, or a new one.
    pub(crate) async fn connection(&self) -> Result<Connection, String> {
        let mut connection = self.connection.lock().await;
        let open = match connection.take().filter(|connection| !connection.is_closed()) {
            Some(open) => open,
            None => Connection::open(&self.endpoint).await?,
        };
        *connection = Some(open.clone());
        Ok(open)
    }

    /// Begins a call message by message.
    pub(crate) async fn raw(&self) -> Result<Raw, Status> {
        let mut client = self.client().await.map_err(Status::unavailable)?;
        let (sender, requests) = mpsc::unbounded_channel();
        let response = async move { client.call(Request::new(UnboundedReceiverStream::new(requests))).await };
        // The adapter may answer with headers only when it has something to say.
        Ok(Raw { sender: Some(sender), answer: Answer::Waiting(Box::pin(response)) })
    }
}

/// A call, message by message.
pub(crate) struct Raw {
    sender: Option<UnboundedSender<CallRequest>>,
    answer: Answer,
}

type Waiting = std::pin::Pin<Box<dyn Future<Output = Result<tonic::Response<Streaming<CallResponse>>, Status>> + Send>>;

enum Answer {
    Waiting(Waiting),
    Coming(Box<Streaming<CallResponse>>),
}

impl Raw {
    /// Says something; lost when the adapter has ended the call.
    pub(crate) fn say(&self, what: Option<call_request::What>) {
        if let Some(sender) = &self.sender {
            // Who has ended the call does not listen any more.
            let _ = sender.send(CallRequest { what });
        }
    }

    /// Says how the call begins.
    pub(crate) fn start(&self, method: &str, message: Option<bytes::Bytes>, credits: u32) {
        let start = Start { method: method.to_owned(), message, credits, ..Start::default() };
        self.say(Some(call_request::What::Start(start)));
    }

    /// Ends the request.
    pub(crate) fn finish(&mut self) {
        self.sender = None;
    }

    /// What the adapter says next; `None` when it closed its side.
    pub(crate) async fn next(&mut self) -> Result<Option<CallResponse>, Status> {
        if let Answer::Waiting(waiting) = &mut self.answer {
            self.answer = Answer::Coming(Box::new(waiting.await?.into_inner()));
        }
        match &mut self.answer {
            Answer::Coming(coming) => coming.message().await,
            Answer::Waiting(_) => Ok(None),
        }
    }
}
