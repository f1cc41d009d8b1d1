//! A connection whose first bytes must come in time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// As long as HTTP/2's preface (RFC 9113, 3.4): hyper waits for ever for the end of one that has begun.
const PREFACE_BYTES: usize = 24;

/// An IO that fails if the first bytes have not come within a time.
pub(super) struct Introduced<IO> {
    io: IO,
    missing: usize,
    /// `None` once the first bytes have come.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<IO> Introduced<IO> {
    pub(super) fn within(time: Duration, io: IO) -> Self {
        Self { io, missing: PREFACE_BYTES, timer: Some(Box::pin(sleep(time))) }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Introduced<IO> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, into);
        let Some(timer) = &mut self.timer else {
            return read;
        };
        if read.is_pending() {
            ready!(timer.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.missing = self.missing.saturating_sub(into.filled().len() - before);
        if self.missing == 0 {
            self.timer = None;
        }
        read
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Introduced<IO> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
