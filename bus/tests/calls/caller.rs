//! A caller on raw HTTP/2.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::office::{read_all, send_all};

/// One connection to the bus.
#[derive(Clone)]
pub(crate) struct Caller {
    sender: SendRequest<Bytes>,
    connection: AbortHandle,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) http: StatusCode,
    pub(crate) head: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HeaderMap,
}

impl Caller {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::with(Builder::new().initial_window_size(1 << 20).initial_connection_window_size(32 << 20), address).await
    }

    /// A caller with the smallest windows, whatever it is sent.
    pub(crate) async fn narrow(address: SocketAddr) -> Self {
        Self::with(Builder::new().data_frame_budget(1 << 30), address).await
    }

    pub(crate) async fn with(http: &Builder, address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http.handshake(stream).await.unwrap();
        let connection = tokio::spawn(async move {
            // Calls see how the connection ended.
            let _ = connection.await;
        });
        Self { sender, connection: connection.abort_handle() }
    }

    /// Closes the connection without a word.
    pub(crate) fn vanish(&self) {
        self.connection.abort();
    }

    /// Starts a call; the caller sends and reads itself.
    pub(crate) async fn start(&self, request: Request<()>) -> (ResponseFuture, SendStream<Bytes>) {
        let mut sender = self.sender.clone().ready().await.unwrap();
        sender.send_request(request, false).unwrap()
    }

    /// Sends this body and reads the whole answer.
    pub(crate) async fn call(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send(request(path), body).await
    }

    pub(crate) async fn send(&self, request: Request<()>, body: impl Into<Bytes>) -> Answer {
        let (response, mut stream) = self.start(request).await;
        let body = body.into();
        let sending = async {
            // An early answer may end the sending.
            if send_all(&mut stream, body, 16 * 1024).await.is_ok() {
                let _ = stream.send_data(Bytes::new(), true);
            }
        };
        soon(async { tokio::join!(sending, whole(response)).1 }).await.unwrap()
    }
}

/// Reads an answer to its end.
pub(crate) async fn whole(response: ResponseFuture) -> Result<Answer, h2::Error> {
    let (head, mut body) = response.await?.into_parts();
    let (body, trailers) = read_all(&mut body).await?;
    Ok(Answer { http: head.status, head: head.headers, body, trailers })
}

impl Answer {
    fn outcome(&self, name: &str) -> Option<&str> {
        let headers = if self.trailers.is_empty() { &self.head } else { &self.trailers };
        headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The gRPC status code; -1 if there is none.
    pub(crate) fn code(&self) -> i32 {
        self.outcome("grpc-status").map_or(-1, |code| code.parse().unwrap())
    }

    pub(crate) fn message(&self) -> String {
        self.outcome("grpc-message").unwrap_or_default().replace("%20", " ")
    }
}

/// A gRPC request's head.
pub(crate) fn request(path: &str) -> Request<()> {
    let uri = format!("http://bus.test{path}");
    Request::post(uri).header("content-type", "application/grpc").header("te", "trailers").body(()).unwrap()
}

/// A request with one more header.
pub(crate) fn with(mut request: Request<()>, name: &'static str, value: &str) -> Request<()> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

/// One gRPC message of `length` bytes.
pub(crate) fn message(length: usize) -> Bytes {
    let mut bytes = BytesMut::with_capacity(length + 5);
    bytes.put_u8(0);
    bytes.put_u32(length as u32);
    bytes.extend((0..length).map(|index| (index % 251) as u8));
    bytes.freeze()
}

/// One frame of an answer.
pub(crate) async fn next(body: &mut RecvStream) -> Bytes {
    let data = soon(body.data()).await.unwrap().unwrap();
    body.flow_control().release_capacity(data.len()).unwrap();
    data
}

pub(crate) async fn begun(response: ResponseFuture) -> Response<RecvStream> {
    soon(response).await.unwrap()
}

/// Waits, but not for ever: what hangs is a failure of its own.
#[track_caller]
pub(crate) fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(Duration::from_secs(10), future).await {
            Ok(output) => output,
            Err(_) => panic!("nothing came within ten seconds at {place}"),
        }
    }
}
