//! The caller's messages on their way to the back office.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body;
use hyper::body::Incoming;

use super::super::frame::{Measure, TooLarge};

/// Pumps a request body into an HTTP/2 stream, within the stream's flow control.
pub(super) struct Upload {
    body: Incoming,
    stream: SendStream<Bytes>,
    measure: Measure,
    /// Taken from the caller, waiting for the back office's window. The window is asked for only with data in hand: what is
    /// reserved for an idle stream is missing to the others, and the end of a request needs no window.
    held: Option<Bytes>,
    /// Nothing was sent yet: h2 itself keeps one frame back until there is a window.
    first: bool,
    done: bool,
}

/// Why the caller's messages do not reach the back office.
#[derive(Debug)]
pub(super) enum UploadError {
    /// A message is over the limit.
    TooLarge(TooLarge),
    /// The caller went away.
    Gone,
}

impl Upload {
    pub(super) fn new(body: Incoming, stream: SendStream<Bytes>, message_bytes: u32) -> Self {
        Self { body, stream, measure: Measure::new(message_bytes), held: None, first: true, done: false }
    }

    /// Ready when the last byte has been handed to the connection, or there is nobody to hand it to.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), UploadError>> {
        while !self.done {
            if self.held.is_some() {
                if !ready!(self.poll_capacity(context)) {
                    // The back office wants no more; its answer tells why.
                    self.done = true;
                    break;
                }
                let data = self.held.take().unwrap_or_default();
                self.send(data);
                continue;
            }
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => self.take(frame)?,
                None if self.body.is_end_stream() => self.send(Bytes::new()),
                // Without END_STREAM the caller broke off: its messages must not look complete.
                Some(Err(_)) | None => return Poll::Ready(Err(self.give_up(UploadError::Gone))),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the back office takes more.
    fn poll_capacity(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        if self.first {
            return Poll::Ready(true);
        }
        self.stream.reserve_capacity(1);
        while self.stream.capacity() == 0 {
            match ready!(self.stream.poll_capacity(context)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(false),
            }
        }
        Poll::Ready(true)
    }

    fn take(&mut self, frame: http_body::Frame<Bytes>) -> Result<(), UploadError> {
        match frame.into_data() {
            Ok(data) => {
                if let Err(too_large) = self.measure.pass(&data) {
                    return Err(self.give_up(UploadError::TooLarge(too_large)));
                }
                // An empty frame says nothing.
                self.held = Some(data).filter(|data| !data.is_empty());
            }
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    self.done = true;
                    // Refused only by a stream that is over; its answer tells why.
                    let _ = self.stream.send_trailers(trailers);
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, data: Bytes) {
        let last = self.body.is_end_stream();
        self.first = false;
        self.done = self.stream.send_data(data, last).is_err() || last;
    }

    fn give_up(&mut self, why: UploadError) -> UploadError {
        self.stream.send_reset(Reason::CANCEL);
        self.done = true;
        why
    }
}

impl Future for Upload {
    type Output = Result<(), UploadError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Self::poll(self.get_mut(), context)
    }
}
