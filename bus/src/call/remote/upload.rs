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
        Self { body, stream, measure: Measure::new(message_bytes), done: false }
    }

    /// Ready when the last byte has been handed to the connection, or there is nobody to hand it to.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), UploadError>> {
        while !self.done {
            if !ready!(self.poll_capacity(context)) {
                // The back office wants no more; its answer tells why.
                self.done = true;
                break;
            }
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => self.pass(frame)?,
                Some(Err(_)) => return Poll::Ready(Err(self.give_up(UploadError::Gone))),
                None => self.send(Bytes::new(), true),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the back office takes more.
    fn poll_capacity(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        self.stream.reserve_capacity(1);
        while self.stream.capacity() == 0 {
            match ready!(self.stream.poll_capacity(context)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(false),
            }
        }
        Poll::Ready(true)
    }

    fn pass(&mut self, frame: http_body::Frame<Bytes>) -> Result<(), UploadError> {
        match frame.into_data() {
            Ok(data) => {
                if let Err(too_large) = self.measure.pass(&data) {
                    return Err(self.give_up(UploadError::TooLarge(too_large)));
                }
                let last = self.body.is_end_stream();
                self.send(data, last);
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

    fn send(&mut self, data: Bytes, last: bool) {
        self.done = self.stream.send_data(data, last).is_err() || last;
    }

    fn give_up(&mut self, why: UploadError) -> UploadError {
        self.stream.send_reset(Reason::CANCEL);
        self.done = true;
        why
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Upload").field("done", &self.done).finish_non_exhaustive()
    }
}
