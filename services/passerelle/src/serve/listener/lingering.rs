//! Sockets that are read to the end before they are closed.
//!
//! Closed with unread bytes, a socket resets its connection, and answers that have not left yet are lost (RFC 1122, 4.2.2.13;
//! RFC 9112, 9.6). Requests that cross our GOAWAY are such bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// How long a peer that was told the end may take to close its side.
const LONGEST: Duration = Duration::from_secs(1);

/// A socket that comes back to its owner when HTTP has no more use for it.
pub(super) struct Lent {
    /// Taken only when dropped.
    stream: Option<TcpStream>,
    back: Option<oneshot::Sender<TcpStream>>,
}

/// Where the socket comes back.
pub(super) struct Returned(oneshot::Receiver<TcpStream>);

pub(super) fn lend(stream: TcpStream) -> (Lent, Returned) {
    let (back, returned) = oneshot::channel();
    (Lent { stream: Some(stream), back: Some(back) }, Returned(returned))
}

impl Returned {
    /// Says the end, and reads what still comes until the peer closes. Only after what wraps the socket was dropped.
    pub(super) async fn linger(self) {
        let Ok(mut stream) = self.0.await else { return };
        // However it ends, it is the end.
        let _ = stream.shutdown().await;
        let _ = tokio::time::timeout(LONGEST, tokio::io::copy(&mut stream, &mut tokio::io::sink())).await;
    }
}

impl Lent {
    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(stream), Some(back)) = (self.stream.take(), self.back.take()) {
            // Nobody may want it any more.
            let _ = back.send(stream);
        }
    }
}

impl AsyncRead for Lent {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(context, into)
    }
}

impl AsyncWrite for Lent {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}
