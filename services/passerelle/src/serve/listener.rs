//! The listener: accepts connections, speaks TLS, serves HTTP, drains.

mod introduction;
mod lingering;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use passerelle_bus::call::{Body, Coalesce};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use self::introduction::Introduced;

/// A silent connection is asked for a sign of life after this time, and closed when none comes.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(20);
/// Received and not yet read, a stream and a connection at most. Half of the latter is what h2 lets small DATA frames cost
/// (each what it is shorter than 256 bytes) before it closes the connection: with less, one stream of tiny messages to a slow
/// back office would cost a caller all its other calls.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 64 * 1024 * 1024;
/// A pause after an accept that failed for want of descriptors or memory, so that it is not tried in a tight loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What bounds a listener.
#[derive(Debug, Clone)]
pub(crate) struct ListenerLimits {
    /// Open connections at most; further ones wait in the kernel's queue.
    pub(crate) connections: usize,
    /// Calls on one connection at most.
    pub(crate) streams_per_connection: u32,
    /// Headers of one request, in bytes at most.
    pub(crate) metadata_bytes: u32,
    /// How long a new connection may take until its first request can be read: TLS, first bytes, HTTP/1.1 headers.
    pub(crate) handshake: Duration,
}

/// What answers requests.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// Answers one request; what goes wrong is told in the answer.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Response<Body>> + Send;
}

/// An open port.
pub(crate) struct Listener {
    name: &'static str,
    address: SocketAddr,
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: ListenerLimits,
}

/// A listener at work.
pub(crate) struct Running {
    name: &'static str,
    stop: watch::Sender<bool>,
    task: JoinHandle<GracefulShutdown>,
}

impl Listener {
    /// Opens the port; port 0 takes a free one.
    pub(crate) async fn bind(
        name: &'static str,
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
        limits: ListenerLimits,
    ) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        Ok(Self { name, address: socket.local_addr()?, socket, tls, limits })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is drained.
    pub(crate) fn run(self, service: impl Service) -> Running {
        let (stop, stopped) = watch::channel(false);
        let name = self.name;
        Running { name, stop, task: tokio::spawn(self.accept(service, stopped)) }
    }

    async fn accept(self, service: impl Service, mut stopped: watch::Receiver<bool>) -> GracefulShutdown {
        let graceful = GracefulShutdown::new();
        let http = Arc::new(self.http());
        let places = Arc::new(Semaphore::new(self.limits.connections));
        loop {
            let accepted = tokio::select! {
                biased;
                accepted = accept_within(&self.socket, &places) => accepted,
                _ = stopped.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, place)) => {
                    let connection =
                        Connection { stream, tls: self.tls.clone(), handshake: self.limits.handshake, http: http.clone() };
                    let (service, watcher, stopped) = (service.clone(), graceful.watcher(), stopped.clone());
                    // Held until the socket is closed: a drain waits for that too.
                    let open = graceful.watcher();
                    tokio::spawn(async move {
                        connection.serve(service, watcher, stopped).await;
                        drop(open);
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(listener = self.name, %error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        graceful
    }

    fn http(&self) -> auto::Builder<TokioExecutor> {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http2()
            .timer(TokioTimer::new())
            .auto_date_header(false)
            .max_concurrent_streams(self.limits.streams_per_connection)
            .max_header_list_size(self.limits.metadata_bytes)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE_ANSWER);
        http.http1().timer(TokioTimer::new()).header_read_timeout(self.limits.handshake);
        http
    }
}

impl Running {
    /// Takes no new connections, tells the open ones to go elsewhere (GOAWAY), and waits for what is in flight. Returns
    /// whether everything ended within `grace`.
    pub(crate) async fn drain(self, grace: Duration) -> bool {
        self.stop.send_replace(true);
        let Ok(connections) = self.task.await else {
            return false;
        };
        tracing::info!(listener = self.name, connections = connections.count() / 2, "draining");
        tokio::time::timeout(grace, connections.shutdown()).await.is_ok()
    }
}

async fn accept_within(
    socket: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Option<tokio::sync::OwnedSemaphorePermit>)> {
    // The semaphore is never closed, so there is always a permit in the end.
    let place = places.clone().acquire_owned().await.ok();
    let (stream, _) = socket.accept().await?;
    stream.set_nodelay(true)?;
    SockRef::from(&stream).set_tcp_user_timeout(Some(KEEP_ALIVE))?;
    Ok((stream, place))
}

/// A connection that has just been accepted.
struct Connection {
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    handshake: Duration,
    http: Arc<auto::Builder<TokioExecutor>>,
}

impl Connection {
    async fn serve(self, service: impl Service, watcher: Watcher, mut stopped: watch::Receiver<bool>) {
        let Self { stream, tls, handshake, http } = self;
        let begun = tokio::select! {
            biased;
            begun = tokio::time::timeout(handshake, stream.readable()) => begun.is_ok(),
            // Nobody who has asked for something is cut.
            _ = stopped.wait_for(|stop| *stop) => false,
        };
        if !begun {
            return tracing::debug!("a connection stayed silent");
        }
        let (stream, returned) = lingering::lend(stream);
        match tls {
            None => serve_http(Introduced::within(handshake, stream), http, service, watcher).await,
            Some(tls) => match tokio::time::timeout(handshake, tls.accept(stream)).await {
                Ok(Ok(stream)) => serve_http(Introduced::within(handshake, stream), http, service, watcher).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
        returned.linger().await;
    }
}

async fn serve_http(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    http: Arc<auto::Builder<TokioExecutor>>,
    service: impl Service,
    watcher: Watcher,
) {
    let answer = service_fn(move |request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    let connection = http.serve_connection(TokioIo::new(Coalesce::new(stream)), answer);
    if let Err(error) = watcher.watch(connection.into_owned()).await {
        tracing::debug!(%error, "a connection broke");
    }
}

#[cfg(test)]
mod tests;
