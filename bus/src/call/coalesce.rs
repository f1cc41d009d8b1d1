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
    /// Something is here, or in a buffer of the IO's own (TLS), that has not left.
    held: bool,
    /// The socket is full: it wakes the task when it has room, the task must not wake itself in a loop.
    full: bool,
    /// The socket takes nothing any more. That is told only when all that the peer sent has been read: its last words (a
    /// GOAWAY, an answer) may lie there unread.
    broken: Option<io::Error>,
}

impl<IO> Coalesce<IO> {
    /// Wraps an IO that is read and written by one task, as an HTTP/2 connection is.
    pub fn new(io: IO) -> Self {
        Self { io, buffer: Vec::new(), written: 0, held: false, full: false, broken: None }
    }

    fn take(&mut self, bytes: &[u8], room: usize) -> usize {
        let count = bytes.len().min(room);
        self.buffer.extend_from_slice(&bytes[..count]);
        self.held = true;
        count
    }
}

impl<IO: AsyncWrite + Unpin> Coalesce<IO> {
    /// Writes what is held back and flushes the IO; what a broken one does not take is dropped.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let drained = self.poll_write_out(context);
        self.full = drained.is_pending();
        if let Err(error) = ready!(drained) {
            self.broken = Some(error);
        }
        self.buffer.clear();
        self.written = 0;
        self.held = false;
        Poll::Ready(())
    }

    fn poll_write_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken.is_some() {
            return Poll::Ready(Ok(()));
        }
        while self.written < self.buffer.len() {
            let count = ready!(Pin::new(&mut self.io).poll_write(context, &self.buffer[self.written..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
        }
        Pin::new(&mut self.io).poll_flush(context)
    }

    /// Room for at least one byte, or pending.
    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<usize> {
        if self.buffer.len() >= BUFFER_BYTES {
            ready!(self.poll_drain(context));
        }
        Poll::Ready(BUFFER_BYTES - self.buffer.len())
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Coalesce<IO> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // A full socket must not stop reading: the peer may wait for us to read before it reads.
        if self.held {
            // Full or not: what matters here is that the writing goes on.
            let _ = self.poll_drain(context);
        }
        let before = into.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, into);
        let ended = read.is_ready() && into.filled().len() == before;
        match self.broken.take_if(|_| ended) {
            Some(error) => Poll::Ready(Err(error)),
            None => read,
        }
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Coalesce<IO> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let room = ready!(self.poll_room(context));
        Poll::Ready(Ok(self.take(bytes, room)))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut room = ready!(self.poll_room(context));
        let mut total = 0;
        for slice in slices {
            let count = self.take(slice, room);
            room -= count;
            total += count;
        }
        Poll::Ready(Ok(total))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.held && !self.full {
            // The task runs again after those that are ready now; its read poll writes everything.
            context.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(context));
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn writes_leave_at_the_next_read_and_at_shutdown() {
        let (near, mut far) = duplex(1024);
        let mut io = Coalesce::new(near);
        io.write_all(b"one").await.unwrap();
        io.write_all(b"two").await.unwrap();
        io.flush().await.unwrap();
        assert!(io.held);

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

    /// An IO that takes bytes, and lets them go only when told to, as TLS over a full socket does.
    struct Sluice {
        open: bool,
        inside: usize,
        gone: usize,
    }

    impl AsyncRead for Sluice {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Sluice {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.inside += bytes.len();
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if !self.open {
                return Poll::Pending;
            }
            self.gone += std::mem::take(&mut self.inside);
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn bytes_stuck_in_the_io_leave_later_and_the_task_sleeps_meanwhile() {
        let woken = Arc::new(Woken::default());
        let waker = woken.clone().into();
        let mut context = Context::from_waker(&waker);
        let mut io = Coalesce::new(Sluice { open: false, inside: 0, gone: 0 });
        assert!(Pin::new(&mut io).poll_write(&mut context, b"bytes").is_ready());
        assert!(Pin::new(&mut io).poll_flush(&mut context).is_ready());
        assert_eq!(woken.times(), 1);

        // The task runs, finds the way closed, and must leave the waking to the IO.
        let mut space = [0; 8];
        assert!(Pin::new(&mut io).poll_read(&mut context, &mut ReadBuf::new(&mut space)).is_pending());
        assert!(Pin::new(&mut io).poll_flush(&mut context).is_ready());
        assert_eq!(woken.times(), 1);

        io.io.open = true;
        assert!(Pin::new(&mut io).poll_read(&mut context, &mut ReadBuf::new(&mut space)).is_pending());
        assert_eq!(io.io.gone, 5);
    }

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Woken {
        fn times(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn what_a_peer_said_before_it_went_is_still_read() {
        let (near, mut far) = duplex(1024);
        far.write_all(b"bye").await.unwrap();
        drop(far);
        let mut io = Coalesce::new(near);
        io.write_all(b"lost").await.unwrap();
        let mut seen = Vec::new();
        let ended = io.read_to_end(&mut seen).await;
        assert_eq!((seen.as_slice(), ended.map_err(|error| error.kind())), (&b"bye"[..], Err(io::ErrorKind::BrokenPipe)));
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
