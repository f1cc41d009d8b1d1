//! One HTTP/2 connection to the adapter. It is never mended: what is connected to anew must be introduced to anew.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Frame;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use passerelle_proto::adapter::v1::adapter_client::AdapterClient;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{oneshot, watch};
use tonic::Status;

use crate::file::Address;

/// What one call's answer may bring before it is read.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Adapters that hang without closing are noticed by this.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_ANSWERED: Duration = Duration::from_secs(5);

/// A client over one connection.
pub(crate) type Client = AdapterClient<Connection>;

/// One connection; clones share it.
#[derive(Clone)]
pub(crate) struct Connection(http2::SendRequest<Whole>);

/// Connects. The second half changes to `true` when the connection is lost.
pub(crate) async fn connect(address: &Address) -> Result<(Client, watch::Receiver<bool>), String> {
    let failed = |error: std::io::Error| format!("cannot connect to {address}: {error}");
    match address {
        Address::Unix(path) => shake(UnixStream::connect(path).await.map_err(failed)?, "http://adapter").await,
        Address::Tcp(authority) => {
            let stream = TcpStream::connect(authority).await.map_err(failed)?;
            stream.set_nodelay(true).map_err(failed)?;
            shake(stream, &format!("http://{authority}")).await
        }
    }
}

async fn shake<S>(stream: S, origin: &str) -> Result<(Client, watch::Receiver<bool>), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let origin: Uri = origin.parse().map_err(|_| format!("{origin} is no address"))?;
    let builder = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_ANSWERED)
        .clone();
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| format!("no HTTP/2: {error}"))?;
    let (lost, watched) = watch::channel(false);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection to an adapter broke");
        }
        lost.send_replace(true);
    });
    let client = AdapterClient::with_origin(Connection(sender), origin);
    Ok((client.max_decoding_message_size(usize::MAX).max_encoding_message_size(usize::MAX), watched))
}

impl tower::Service<Request<tonic::body::Body>> for Connection {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<tonic::body::Body>) -> Self::Future {
        let broken = request.extensions_mut().remove::<Guard>().and_then(Guard::take);
        Box::pin(self.0.send_request(request.map(|body| Whole { body, broken })))
    }
}

/// Resets a request's stream when the other half is dropped before the request has ended: half a request must not look whole. Goes
/// with the request as an extension.
#[derive(Clone)]
pub(crate) struct Guard(Arc<Mutex<Option<oneshot::Receiver<()>>>>);

impl Guard {
    /// A guard, and what keeps the request going while it lives.
    pub(crate) fn new() -> (Self, oneshot::Sender<()>) {
        let (keep, broken) = oneshot::channel();
        (Self(Arc::new(Mutex::new(Some(broken)))), keep)
    }

    fn take(self) -> Option<oneshot::Receiver<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A request's body that breaks off with an error, not with its end.
pub(crate) struct Whole {
    body: tonic::body::Body,
    broken: Option<oneshot::Receiver<()>>,
}

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(broken) = &mut self.broken
            && Pin::new(broken).poll(context).is_ready()
        {
            return Poll::Ready(Some(Err(Status::cancelled("the caller went away"))));
        }
        Poll::Ready(ready!(Pin::new(&mut self.body).poll_frame(context)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
