//! A back office on raw HTTP/2, so that every odd behaviour can be produced.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio::task::JoinSet;

/// How a back office leaves.
#[derive(Debug, Clone, Copy)]
enum Leave {
    /// Two GOAWAYs, then what is in flight is finished.
    Gracefully,
    /// One GOAWAY with a reason, and the connection is closed.
    Abruptly,
}

/// What a script gets: one call.
pub(crate) type Respond = SendResponse<Bytes>;

/// A running back office; dropped, it cuts every connection.
pub(crate) struct Office {
    pub(crate) address: SocketAddr,
    /// Connections accepted so far.
    pub(crate) connections: Arc<AtomicUsize>,
    leave: broadcast::Sender<Leave>,
    _tasks: JoinSet<()>,
}

impl Office {
    /// Answers every call with the script.
    pub(crate) async fn start<F, Done>(script: F) -> Self
    where
        F: Fn(Request<RecvStream>, Respond) -> Done + Clone + Send + Sync + 'static,
        Done: Future<Output = ()> + Send + 'static,
    {
        Self::on("127.0.0.1:0".parse().unwrap(), builder(), script).await
    }

    pub(crate) async fn with<F, Done>(http: Builder, script: F) -> Self
    where
        F: Fn(Request<RecvStream>, Respond) -> Done + Clone + Send + Sync + 'static,
        Done: Future<Output = ()> + Send + 'static,
    {
        Self::on("127.0.0.1:0".parse().unwrap(), http, script).await
    }

    pub(crate) async fn on<F, Done>(address: SocketAddr, http: Builder, script: F) -> Self
    where
        F: Fn(Request<RecvStream>, Respond) -> Done + Clone + Send + Sync + 'static,
        Done: Future<Output = ()> + Send + 'static,
    {
        let socket = TcpListener::bind(address).await.unwrap();
        let address = socket.local_addr().unwrap();
        let leave = broadcast::Sender::new(16);
        let connections = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        let (leaving, counted) = (leave.clone(), connections.clone());
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = socket.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                open.spawn(serve(stream, http.clone(), script.clone(), leaving.subscribe()));
            }
        });
        Self { address, connections, leave, _tasks: tasks }
    }

    /// Sends GOAWAY on every open connection; calls in flight are finished.
    pub(crate) fn go_away(&self) {
        // Nobody may be connected.
        let _ = self.leave.send(Leave::Gracefully);
    }

    /// Says GOAWAY and closes every open connection.
    pub(crate) fn break_off(&self) {
        let _ = self.leave.send(Leave::Abruptly);
    }
}

/// As servers are set up: h2's own default closes a connection after a hundred small frames in a row.
pub(crate) fn builder() -> Builder {
    let mut http = Builder::new();
    http.data_frame_budget(1 << 30);
    http
}

async fn serve<F, Done>(stream: TcpStream, http: Builder, script: F, mut leave: broadcast::Receiver<Leave>)
where
    F: Fn(Request<RecvStream>, Respond) -> Done + Send + 'static,
    Done: Future<Output = ()> + Send + 'static,
{
    let Ok(mut connection) = http.handshake::<_, Bytes>(Lingering(Some(stream))).await else {
        return;
    };
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => { calls.spawn(script(request, respond)); }
                Some(Err(_)) | None => return,
            },
            Ok(leave) = leave.recv() => match leave {
                Leave::Gracefully => connection.graceful_shutdown(),
                Leave::Abruptly => connection.abrupt_shutdown(h2::Reason::INTERNAL_ERROR),
            },
        }
    }
}

/// Reads a whole body and its trailers.
pub(crate) async fn read_all(body: &mut RecvStream) -> Result<(Vec<u8>, HeaderMap), h2::Error> {
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, body.trailers().await?.unwrap_or_default()))
}

/// Sends bytes within the stream's flow control, in frames of `frame` bytes at most.
pub(crate) async fn send_all(stream: &mut h2::SendStream<Bytes>, mut bytes: Bytes, frame: usize) -> Result<(), h2::Error> {
    while !bytes.is_empty() {
        stream.reserve_capacity(bytes.len().min(frame));
        while stream.capacity() == 0 {
            match std::future::poll_fn(|context| stream.poll_capacity(context)).await {
                Some(capacity) => capacity?,
                None => return Err(h2::Reason::CANCEL.into()),
            };
        }
        let count = stream.capacity().min(frame).min(bytes.len());
        stream.send_data(bytes.split_to(count), false)?;
    }
    Ok(())
}

pub(crate) fn head() -> Response<()> {
    Response::builder().header("content-type", "application/grpc").body(()).unwrap()
}

pub(crate) fn outcome(code: i32) -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), code.into())])
}

/// Reads everything, then answers the same bytes.
pub(crate) async fn echo(request: Request<RecvStream>, mut respond: Respond) {
    let mut body = request.into_body();
    let Ok((bytes, _)) = read_all(&mut body).await else { return };
    let Ok(mut stream) = respond.send_response(head(), false) else { return };
    if send_all(&mut stream, bytes.into(), 16 * 1024).await.is_ok() {
        let _ = stream.send_trailers(outcome(0));
    }
}

/// A socket that is read on after HTTP/2 is over. Closed with unread bytes (requests that cross a GOAWAY), a socket resets its
/// connection, and answers that have not left yet are lost: a careful server does not do that.
struct Lingering(Option<TcpStream>);

impl Lingering {
    fn stream(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.0.as_mut().unwrap())
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let (Some(mut stream), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move {
                let _ = stream.shutdown().await;
                let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            });
        }
    }
}

impl AsyncRead for Lingering {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, into)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}
