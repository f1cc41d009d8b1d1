//! The back office's answer on its way to the caller.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::RecvStream;
use http_body::Frame;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep};
use tonic::{Code, Status};

use super::super::body::BodyError;
use super::super::frame::Measure;
use super::super::observe::Observed;
use super::super::own::Track;
use super::super::status;
use super::connection::Lease;
use super::upload::{Upload, UploadError};

/// Messages and trailers as they come, while the rest of the caller's messages goes the other way.
#[derive(Debug)]
pub struct Download {
    pub(super) answer: RecvStream,
    pub(super) sending: Option<Sending>,
    pub(super) measure: Measure,
    pub(super) deadline: Option<Instant>,
    pub(super) timer: Option<Pin<Box<Sleep>>>,
    /// The outcome, where the back office told it in the headers and sends no trailers.
    pub(super) told: Option<Code>,
    /// Is told when the back office says what became of the call.
    pub(super) track: Option<Track>,
    pub(super) observed: Observed,
    /// `None` once the outcome is out.
    pub(super) lease: Option<Lease>,
}

/// The rest of the caller's messages, in a task of their own: a caller that reads nothing before it has sent everything must
/// not wait for itself.
#[derive(Debug)]
pub(super) struct Sending(JoinHandle<Result<(), UploadError>>);

impl Sending {
    pub(super) fn start(upload: Upload) -> Self {
        Self(tokio::spawn(upload))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

type Answered = Poll<Option<Result<Frame<Bytes>, BodyError>>>;

impl Download {
    pub(in crate::call) fn is_end_stream(&self) -> bool {
        self.lease.is_none()
    }

    pub(in crate::call) fn poll_frame(&mut self, context: &mut Context<'_>) -> Answered {
        if self.lease.is_none() {
            return Poll::Ready(None);
        }
        if let Some(sending) = &mut self.sending
            && let Poll::Ready(sent) = Pin::new(&mut sending.0).poll(context)
        {
            self.sending = None;
            match sent {
                Ok(Err(UploadError::TooLarge(error))) => return self.end(Status::resource_exhausted(error.to_string())),
                Ok(Err(UploadError::Gone)) => return Poll::Ready(Some(Err("the caller went away".into()))),
                Ok(Ok(())) | Err(_) => {}
            }
        }
        match self.answer.poll_data(context) {
            // An answer that never pauses ends at its deadline too.
            Poll::Ready(Some(Ok(_))) if self.deadline.is_some_and(|at| at <= Instant::now()) => self.end_late(),
            Poll::Ready(Some(Ok(data))) => self.pass(data),
            Poll::Ready(Some(Err(error))) => self.end_broken(&error),
            Poll::Ready(None) => self.poll_trailers(context),
            Poll::Pending => self.poll_deadline(context),
        }
    }

    fn pass(&mut self, data: Bytes) -> Answered {
        if let Err(error) = self.measure.pass(&data) {
            let text = format!("the answer of back office {}: {error}", self.observed.endpoint());
            return self.end(Status::resource_exhausted(text));
        }
        // Released at once: the caller's own stream polls for the next data only when it has room.
        match self.answer.flow_control().release_capacity(data.len()) {
            Ok(()) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Err(error) => self.end_broken(&error),
        }
    }

    fn poll_trailers(&mut self, context: &mut Context<'_>) -> Answered {
        match self.answer.poll_trailers(context) {
            Poll::Ready(Ok(trailers)) => match trailers.as_ref().and_then(status::code).or(self.told) {
                None => self.end(status::of_silence(self.observed.endpoint())),
                Some(Code::Ok) if !self.is_whole() => self.end(status::of_untrue(self.observed.endpoint(), &self.measure)),
                Some(code) => {
                    self.track.iter().for_each(Track::answered);
                    self.close(code);
                    Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
                }
            },
            Poll::Ready(Err(error)) => self.end_broken(&error),
            Poll::Pending => self.poll_deadline(context),
        }
    }

    /// Whether what came is what an outcome of OK promises. The caller's own library would find out too, and not say whose fault it is.
    fn is_whole(&self) -> bool {
        self.measure.is_between_messages() && (!self.observed.expects_one_message() || self.measure.messages() == 1)
    }

    /// Only a caller that really waits costs a timer.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Answered {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        match timer.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => self.end_late(),
        }
    }

    fn end_late(&mut self) -> Answered {
        let text = format!("back office {} did not finish within the deadline", self.observed.endpoint());
        self.end(Status::deadline_exceeded(text))
    }

    fn end_broken(&mut self, error: &h2::Error) -> Answered {
        self.end(status::of_break(self.observed.endpoint(), error))
    }

    /// Ends the answer with an outcome of the bus's own; what is left of the exchange is reset when self is dropped.
    fn end(&mut self, status: Status) -> Answered {
        self.close(status.code());
        Poll::Ready(Some(Ok(Frame::trailers(status::trailers(&status)))))
    }

    fn close(&mut self, code: Code) {
        self.observed.ended(code);
        self.sending = None;
        if let Some(mut lease) = self.lease.take() {
            // A stream lasts as long as it is meant to.
            match code {
                Code::DeadlineExceeded if !self.observed.is_unary() => lease.lasts(),
                code => lease.ended(code),
            }
        }
    }
}
