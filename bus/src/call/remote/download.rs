//! The back office's answer on its way to the caller.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::RecvStream;
use http_body::Frame;
use tokio::time::Sleep;
use tonic::{Code, Status};

use super::super::body::BodyError;
use super::super::frame::Measure;
use super::super::observe::Observed;
use super::super::status;
use super::slot::Lease;
use super::upload::{Upload, UploadError};

/// Messages and trailers as they come, while the rest of the caller's messages goes the other way.
#[derive(Debug)]
pub struct Download {
    pub(super) answer: RecvStream,
    pub(super) upload: Option<Upload>,
    pub(super) measure: Measure,
    pub(super) deadline: Option<tokio::time::Instant>,
    pub(super) timer: Option<Pin<Box<Sleep>>>,
    pub(super) observed: Observed,
    pub(super) endpoint: String,
    pub(super) lease: Option<Lease>,
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
        if let Some(upload) = &mut self.upload {
            match upload.poll(context) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.upload = None,
                Poll::Ready(Err(UploadError::TooLarge(error))) => return self.end(Status::resource_exhausted(error.to_string())),
                Poll::Ready(Err(UploadError::Gone)) => return Poll::Ready(Some(Err("the caller went away".into()))),
            }
        }
        match self.answer.poll_data(context) {
            Poll::Ready(Some(Ok(data))) => self.pass(data),
            Poll::Ready(Some(Err(error))) => self.end(status::of_break(&self.endpoint, &error)),
            Poll::Ready(None) => self.poll_trailers(context),
            Poll::Pending => self.poll_deadline(context),
        }
    }

    fn pass(&mut self, data: Bytes) -> Answered {
        if let Err(error) = self.measure.pass(&data) {
            return self.end(Status::resource_exhausted(format!("the answer of back office {}: {error}", self.endpoint)));
        }
        // Released at once: the caller's own stream polls for the next data only when it has room.
        match self.answer.flow_control().release_capacity(data.len()) {
            Ok(()) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Err(error) => self.end(status::of_break(&self.endpoint, &error)),
        }
    }

    fn poll_trailers(&mut self, context: &mut Context<'_>) -> Answered {
        match self.answer.poll_trailers(context) {
            Poll::Ready(Ok(Some(trailers))) => {
                self.observed.ended(status::code(&trailers).unwrap_or(Code::Unknown));
                self.lease = None;
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Poll::Ready(Ok(None)) => {
                self.end(Status::internal(format!("back office {} ended its answer without a status", self.endpoint)))
            }
            Poll::Ready(Err(error)) => self.end(status::of_break(&self.endpoint, &error)),
            Poll::Pending => self.poll_deadline(context),
        }
    }

    /// Only a caller that really waits costs a timer.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Answered {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        match timer.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                self.end(Status::deadline_exceeded(format!("back office {} did not finish within the deadline", self.endpoint)))
            }
        }
    }

    /// Ends the answer with an outcome of the bus's own; what is left of the exchange is reset when self is dropped.
    fn end(&mut self, status: Status) -> Answered {
        self.observed.ended(status.code());
        self.upload = None;
        self.lease = None;
        Poll::Ready(Some(Ok(Frame::trailers(status::trailers(&status)))))
    }
}
