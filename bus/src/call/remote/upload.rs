//! The caller's messages on their way to the back office.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body;

use super::super::frame::{Measure, TooLarge};
use super::super::inward::Inward;
use super::super::record::RequestTap;
use crate::contract::Sample;

/// Bytes kept at most to be sent again, for a call that the back office never looked at.
const KEPT_BYTES: usize = 64 * 1024;

/// Pumps a request body into an HTTP/2 stream, within the stream's flow control.
pub(super) struct Upload {
    body: Inward,
    stream: SendStream<Bytes>,
    measure: Measure,
    /// What was sent, until the answer begins; `None` if it is too much to be kept.
    kept: Option<Vec<Bytes>>,
    kept_bytes: usize,
    /// How much of it has been sent on this stream.
    resent: usize,
    /// Taken from the caller, waiting for the back office's window. The window is asked for only with data in hand: what is
    /// reserved for an idle stream is missing to the others, and the end of a request needs no window.
    held: Option<Bytes>,
    /// Nothing was sent yet: h2 itself keeps one frame back until there is a window.
    first: bool,
    done: bool,
    /// Set until the first bytes have come, in one call of many.
    sample: Option<Sample>,
    /// Set while the call is recorded.
    tap: Option<RequestTap>,
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
    pub(super) fn new(
        body: Inward,
        stream: SendStream<Bytes>,
        message_bytes: u32,
        sample: Option<Sample>,
        tap: Option<RequestTap>,
    ) -> Self {
        let kept = Some(Vec::new());
        let measure = Measure::new(message_bytes);
        Self { body, stream, measure, kept, kept_bytes: 0, resent: 0, held: None, first: true, done: false, sample, tap }
    }

    /// Whether everything that was sent can be sent again.
    pub(super) fn is_repeatable(&self) -> bool {
        self.kept.is_some()
    }

    /// Begins anew on another stream.
    pub(super) fn repeat(&mut self, stream: SendStream<Bytes>) {
        self.stream = stream;
        self.resent = 0;
        self.first = true;
        // What is in hand was kept too.
        self.held = None;
        self.done = false;
    }

    /// What is left to send once the answer has begun; nothing will be sent again.
    pub(super) fn rest(mut self) -> Option<Self> {
        self.kept = None;
        Some(self).filter(|rest| !rest.done)
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
            if let Some(again) = self.kept.as_ref().and_then(|kept| kept.get(self.resent)) {
                self.held = Some(again.clone());
                self.resent += 1;
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
                if !data.is_empty() {
                    if let Some(sample) = self.sample.take() {
                        sample.look(&data);
                    }
                    self.tap.iter().for_each(|tap| tap.pass(&data));
                    self.keep(&data);
                    self.held = Some(data);
                }
            }
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    self.done = true;
                    self.kept = None;
                    // Refused only by a stream that is over; its answer tells why.
                    let _ = self.stream.send_trailers(trailers);
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, data: &Bytes) {
        self.kept_bytes += data.len();
        if self.kept_bytes > KEPT_BYTES {
            self.kept = None;
        }
        if let Some(kept) = &mut self.kept {
            kept.push(data.clone());
            self.resent = kept.len();
        }
    }

    fn send(&mut self, data: Bytes) {
        let more = self.kept.as_ref().is_some_and(|kept| kept.len() > self.resent);
        let last = !more && self.body.is_end_stream();
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
