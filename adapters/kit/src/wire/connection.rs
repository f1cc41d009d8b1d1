//! One HTTP/2 connection to an adapter, without the help that a channel gives: no local timeout, no attempt made twice.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tonic::body::Body;
use tower::Service;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// An open connection. Calls fail once it is closed.
#[derive(Debug, Clone)]
pub(crate) struct Connection(SendRequest<Body>);

impl Connection {
    /// Connects to `unix:PATH` or `http://HOST:PORT`.
    pub(crate) async fn open(endpoint: &str) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("cannot connect to {endpoint}: {error}");
        let opening = async {
            match endpoint.strip_prefix("unix:") {
                Some(path) => {
                    let path = path.strip_prefix("//").unwrap_or(path);
                    shake(UnixStream::connect(path).await.map_err(|error| failed(&error))?).await
                }
                None => {
                    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
                    let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
                    stream.set_nodelay(true).map_err(|error| failed(&error))?;
                    shake(stream).await
                }
            }
        };
        tokio::time::timeout(CONNECT, opening).await.unwrap_or_else(|_| Err(failed(&"it takes more than 2 s")))
    }

    /// Whether it has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

async fn shake(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Connection, String> {
    let (mut sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(io)).await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    sender.ready().await.map_err(|error| error.to_string())?;
    Ok(Connection(sender))
}

impl Service<Request<Body>> for Connection {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
