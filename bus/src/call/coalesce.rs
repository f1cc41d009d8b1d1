//! Write coalescing: many HTTP/2 frames leave in one system call.
//!
//! The `h2` crate issues one `writev` for every DATA frame of 256 bytes or more, and flushes once per poll of the connection.
//! [`Coalesce`] takes the bytes into a buffer, answers the flush at once, and writes when the connection next polls for
//! input. It wakes the connection's task for that, so everything the other tasks produced in between leaves together.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes held back at most; a writer that goes beyond waits for the socket.
const BUFFER_BYTES: usize = 64 * 1024;

/// An IO that holds writes back until the next read poll.
#[derive(Debug)]
pub struct Coalesce<IO> {
    io: IO,
    buffer: Vec<u8>,
    written: usize,
}

impl<IO> Coalesce<IO> {
    /// Wraps an IO that is read and written by one task, as an HTTP/2 connection is.
    pub fn new(io: IO) -> Self {
        Self { io, buffer: Vec::new(), written: 0 }
    }

    fn is_empty(&self) -> bool {
        self.written == self.buffer.len()
    }
}

impl<IO: AsyncWrite + Unpin> Coalesce<IO> {
    /// Writes what is held back and flushes the IO.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let count = ready!(Pin::new(&mut self.io).poll_write(context, &self.buffer[self.written..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
        }
        self.buffer.clear();
        self.written = 0;
        Pin::new(&mut self.io).poll_flush(context)
    }

    /// Room for at least one byte, or pending.
    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.buffer.len() >= BUFFER_BYTES {
            ready!(self.poll_drain(context))?;
        }
        Poll::Ready(Ok(BUFFER_BYTES - self.buffer.len()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Coalesce<IO> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.is_empty() {
            // A full socket must not stop reading: the peer may wait for us to read before it reads.
            if let Poll::Ready(Err(error)) = self.poll_drain(context) {
                return Poll::Ready(Err(error));
            }
        }
        Pin::new(&mut self.io).poll_read(context, into)
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Coalesce<IO> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let room = ready!(self.poll_room(context))?;
        let count = bytes.len().min(room);
        self.buffer.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut room = ready!(self.poll_room(context))?;
        let mut total = 0;
        for slice in slices {
            let count = slice.len().min(room);
            self.buffer.extend_from_slice(&slice[..count]);
            room -= count;
            total += count;
        }
        Poll::Ready(Ok(total))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_empty() {
            // The task runs again after those that are ready now; its read poll writes everything.
            context.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(context))?;
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn writes_leave_at_the_next_read_and_at_shutdown() {
        let (near, mut far) = duplex(1024);
        let mut io = Coalesce::new(near);
        io.write_all(b"one").await.unwrap();
        io.write_all(b"two").await.unwrap();
        io.flush().await.unwrap();
        assert!(!io.is_empty());

        let mut byte = [0];
        let read = tokio::spawn(async move {
            let count = io.read(&mut byte).await.unwrap();
            (io, count)
        });
        let mut seen = [0; 6];
        far.read_exact(&mut seen).await.unwrap();
        assert_eq!(&seen, b"onetwo");
        far.write_all(b"x").await.unwrap();
        let (mut io, count) = read.await.unwrap();
        assert_eq!(count, 1);

        io.write_all(b"last").await.unwrap();
        io.shutdown().await.unwrap();
        let mut rest = Vec::new();
        far.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"last");
    }

    #[tokio::test]
    async fn more_than_the_buffer_is_written_whole_and_in_order() {
        let (near, mut far) = duplex(4096);
        let sent: Vec<u8> = (0..300_000_u32).map(|index| (index % 251) as u8).collect();
        let expected = sent.clone();
        let writer = tokio::spawn(async move {
            let mut io = Coalesce::new(near);
            io.write_all(&sent).await.unwrap();
            io.shutdown().await.unwrap();
        });
        let mut seen = Vec::new();
        far.read_to_end(&mut seen).await.unwrap();
        writer.await.unwrap();
        assert_eq!(seen, expected);
    }
}
