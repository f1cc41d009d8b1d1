//! A scripted peer for tests of faults that no sound host can be made to commit.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Request;
use crate::connection::PoolSettings;

/// Each connection runs a script, which gets its number, from 0; when the script ends the connection is closed.
pub(crate) struct Peer {
    pub(crate) address: String,
    accepted: Arc<AtomicUsize>,
    closed: mpsc::UnboundedReceiver<()>,
}

impl Peer {
    pub(crate) async fn start<F>(script: impl Fn(usize, TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let accepted = Arc::new(AtomicUsize::new(0));
        let (tell_closed, closed) = mpsc::unbounded_channel();
        let count = Arc::clone(&accepted);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let running = script(count.fetch_add(1, Ordering::SeqCst), stream);
                let tell_closed = tell_closed.clone();
                tokio::spawn(async move {
                    running.await;
                    let _ = tell_closed.send(());
                });
            }
        });
        Self { address, accepted, closed }
    }

    /// Connections so far.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Waits until one more connection was closed.
    pub(crate) async fn a_close(&mut self) {
        tokio::time::timeout(Duration::from_secs(10), self.closed.recv()).await.unwrap().unwrap();
    }
}

/// An address that refuses connections: a free port that nobody listens on.
pub(crate) async fn refusing_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Reads a message that begins with its total length in four bytes; `None` at the end.
pub(crate) async fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let length = stream.read_u32().await.ok()?;
    let mut body = vec![0; length as usize - 4];
    stream.read_exact(&mut body).await.ok()?;
    Some(body)
}

/// Sends a body after its total length in four bytes.
pub(crate) async fn write_message(stream: &mut TcpStream, body: &[u8]) {
    let length = 4 + u32::try_from(body.len()).unwrap();
    stream.write_all(&[&length.to_be_bytes(), body].concat()).await.unwrap();
}

/// Answers each message with itself until the client hangs up.
pub(crate) async fn echo(mut stream: TcpStream) {
    while let Some(body) = read_message(&mut stream).await {
        write_message(&mut stream, &body).await;
    }
}

pub(crate) fn pool(endpoints: &[&str]) -> PoolSettings {
    PoolSettings {
        endpoints: endpoints.iter().map(|&endpoint| endpoint.to_owned()).collect(),
        tls: None,
        max: 4,
        waiting_max: 4,
        idle: Duration::from_secs(60),
        connect_timeout: Duration::from_secs(5),
    }
}

/// A request with ten seconds to be answered in.
pub(crate) fn request(record: &'static [u8]) -> Request {
    Request {
        trancode: Some("ACCTINQ".into()),
        record: Bytes::from_static(record),
        deadline: Instant::now() + Duration::from_secs(10),
        idempotent: false,
    }
}
