//! A whole answer, taken off the wire once and given to many.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::AGE;
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use tonic::Code;

use super::super::body::{Body, BodyError};
use super::super::observe::Observed;
use super::super::status;

/// What one header takes beside its text, about.
const HEADER_BYTES: usize = 64;

/// An answer from its headers to its outcome.
#[derive(Debug)]
pub(in crate::call) struct Answer {
    head: HeaderMap,
    body: Bytes,
    /// `None`: the outcome is in the headers.
    trailers: Option<HeaderMap>,
    code: Code,
}

impl Answer {
    /// Reads an answer to its end; its messages are bounded by the limit on them.
    pub(in crate::call) async fn read(response: Response<Body>) -> Result<Self, BodyError> {
        let (head, mut body) = response.into_parts();
        let (mut bytes, mut trailers) = (BytesMut::new(), None);
        while let Some(frame) = body.frame().await {
            match frame?.into_data() {
                Ok(data) => bytes.extend_from_slice(&data),
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        let code = status::code(trailers.as_ref().unwrap_or(&head.headers)).unwrap_or(Code::Unknown);
        Ok(Self { head: head.headers, body: bytes.freeze(), trailers, code })
    }

    /// The outcome.
    pub(in crate::call) fn code(&self) -> Code {
        self.code
    }

    /// Its messages, with their prefixes.
    pub(in crate::call) fn body(&self) -> &Bytes {
        &self.body
    }

    /// The same with other messages.
    pub(in crate::call) fn with_body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }

    /// Its headers.
    pub(super) fn head(&self) -> &HeaderMap {
        &self.head
    }

    /// The headers that carry the outcome.
    pub(in crate::call) fn outcome(&self) -> &HeaderMap {
        self.trailers.as_ref().unwrap_or(&self.head)
    }

    /// Whether it is the answer to everybody who asks the same. What ended the call, or turned it away, says something about
    /// that call only: its time, its place in the line.
    pub(super) fn is_for_all(&self) -> bool {
        !matches!(self.code, Code::Cancelled | Code::DeadlineExceeded | Code::Aborted | Code::ResourceExhausted)
    }

    /// How old it was when it came, where a cache behind gave it.
    pub(super) fn age(&self) -> Duration {
        let seconds = self.head.get(AGE).and_then(|age| age.to_str().ok()?.parse().ok());
        Duration::from_secs(seconds.unwrap_or_default())
    }

    /// What it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let of = |headers: &HeaderMap| -> usize {
            headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER_BYTES).sum()
        };
        self.body.len() + of(&self.head) + self.trailers.as_ref().map_or(0, of)
    }

    /// The answer for one caller. `age`: how old it is, where it was kept.
    pub(in crate::call) fn give(self: &Arc<Self>, age: Option<Duration>, mut observed: Observed) -> Response<Body> {
        let body = match self.trailers {
            Some(_) => Body::Given(Box::new(Given { answer: self.clone(), next: Next::Messages, observed })),
            None => {
                observed.ended(self.code);
                Body::Empty
            }
        };
        let mut response = Response::new(body);
        *response.headers_mut() = self.head.clone();
        if let Some(age) = age {
            // Rounded up: it is never older than it says.
            let seconds = age.as_secs() + u64::from(age.subsec_nanos() > 0);
            response.headers_mut().insert(AGE, HeaderValue::from(seconds));
        }
        response
    }
}

/// An answer on its way to one caller.
#[derive(Debug)]
pub struct Given {
    answer: Arc<Answer>,
    next: Next,
    observed: Observed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Messages,
    Outcome,
    Nothing,
}

impl Given {
    pub(in crate::call) fn frame(&mut self) -> Option<Frame<Bytes>> {
        if self.next == Next::Messages {
            self.next = Next::Outcome;
            if !self.answer.body.is_empty() {
                return Some(Frame::data(self.answer.body.clone()));
            }
        }
        if self.next == Next::Nothing {
            return None;
        }
        self.next = Next::Nothing;
        self.observed.ended(self.answer.code);
        self.answer.trailers.clone().map(Frame::trailers)
    }

    pub(in crate::call) fn is_end_stream(&self) -> bool {
        self.next == Next::Nothing
    }
}
