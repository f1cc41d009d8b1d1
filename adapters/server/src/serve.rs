//! Serves a kind until it is drained or told to stop.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::{Kind, Secrets};
use passerelle_proto::adapter::v1::adapter_server::AdapterServer;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, OnceCell};
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::transport::Server;

use crate::lifeline::Lifeline;
use crate::limits::Limits;
use crate::listen::{Bound, Listen};
use crate::service::{Service, Shared};
use crate::turns::Turns;
use crate::work::Work;

/// Settings with their contracts and schemas stay far below.
const CONTROL_BYTES: usize = 1 << 20;
/// How much a message may be over its limit and still be refused with a fault, and not by a broken stream.
const DECODED_OVER: usize = 8;
/// What the connection may buffer of one call's request.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// How long connections may stay once there is nothing in flight.
const CLOSING: Duration = Duration::from_secs(1);

/// What is served, and how.
pub struct Serving {
    /// The adapter's sort.
    pub kind: Arc<dyn Kind>,
    /// The adapter's own version, for people.
    pub release: String,
    /// Where to listen.
    pub listen: Listen,
    /// Finds the secrets that settings name, where this process runs.
    pub secrets: Arc<dyn Secrets>,
    /// What it bears.
    pub limits: Limits,
    /// How long calls in flight may go on after SIGTERM.
    pub grace: Duration,
}

/// Serves until SIGTERM or SIGINT, then drains. `ready` gets the address once it is open.
///
/// # Errors
/// The address cannot be listened on, or the listener broke down.
pub async fn serve(serving: Serving, ready: impl FnOnce(&Listen)) -> io::Result<()> {
    serve_started(serving, Lifeline::None, ready).await
}

/// As [`serve`], for a process that a bus may have started: it ends as well when that bus is gone.
///
/// # Errors
/// As [`serve`].
pub async fn serve_started(serving: Serving, lifeline: Lifeline, ready: impl FnOnce(&Listen)) -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = lifeline.cut() => {}
        }
    };
    serve_until(serving, ready, stop).await
}

/// As [`serve`], until `stop` returns.
///
/// # Errors
/// As [`serve`].
pub async fn serve_until(serving: Serving, ready: impl FnOnce(&Listen), stop: impl Future<Output = ()>) -> io::Result<()> {
    let limits = serving.limits.usable();
    let bound = serving.listen.bind().await?;
    let service = Arc::new(Service {
        kind: serving.kind,
        release: serving.release,
        secrets: serving.secrets,
        limits,
        work: Work::new(limits.calls),
        turns: Turns::default(),
        open: OnceCell::new(),
        opening: Mutex::default(),
    });
    ready(&bound.address()?);
    let decoded = (limits.message_bytes as usize).saturating_mul(DECODED_OVER).saturating_add(CONTROL_BYTES);
    let server =
        AdapterServer::new(Shared(service.clone())).max_decoding_message_size(decoded).max_encoding_message_size(usize::MAX);
    let router = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(limits.calls.saturating_add(16))
        .add_service(server);
    let (close, closing) = tokio::sync::oneshot::channel::<()>();
    let closed = async move {
        let _ = closing.await;
    };
    let served = async move {
        match bound {
            Bound::Tcp(listener) => router.serve_with_incoming_shutdown(TcpListenerStream::new(listener), closed).await,
            Bound::Unix(listener, _file) => router.serve_with_incoming_shutdown(UnixListenerStream::new(listener), closed).await,
        }
    };
    let ending = async {
        stop.await;
        let cut = service.drain(serving.grace).await;
        tracing::info!(cut, "drained");
        let _ = close.send(());
        tokio::time::sleep(CLOSING).await;
    };
    tokio::select! {
        served = served => served.map_err(io::Error::other),
        () = ending => Ok(()),
    }
}
