//! A call as an adapter sees it: method, messages, context.

use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_core::Stream;

use crate::{Fault, Rejection};

/// One call to carry.
#[derive(Debug)]
pub struct Call {
    /// Full method name without a leading slash: `bank.accounts.v1.AccountInquiry/InquireAccounts`.
    pub method: String,
    /// The request messages, in order, as protobuf bytes.
    pub messages: Messages,
    /// What travels with the call.
    pub context: Context,
}

/// What travels with a call besides its messages.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
    /// The caller's key for "this very operation", so that an effect happens once.
    pub idempotency_key: Option<String>,
    /// W3C trace context of the bus's own span.
    pub trace: TraceContext,
}

impl Context {
    /// Time left before the deadline; `None` without one, zero when it has passed.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|at| at.saturating_duration_since(Instant::now()))
    }
}

/// W3C trace context (<https://www.w3.org/TR/trace-context/>), as the header values.
#[derive(Debug, Clone, Default)]
pub struct TraceContext {
    /// The `traceparent` header.
    pub traceparent: Option<String>,
    /// The `tracestate` header.
    pub tracestate: Option<String>,
}

/// A stream of protobuf messages; the unary short form costs no box.
pub struct Messages(Inner);

enum Inner {
    One(Option<Bytes>),
    Many(Pin<Box<dyn Stream<Item = Result<Bytes, Fault>> + Send>>),
}

impl Messages {
    /// Exactly one message: the unary short form.
    pub fn one(message: impl Into<Bytes>) -> Self {
        Self(Inner::One(Some(message.into())))
    }

    /// Any number of messages; a fault ends the stream.
    pub fn many(stream: impl Stream<Item = Result<Bytes, Fault>> + Send + 'static) -> Self {
        Self(Inner::Many(Box::pin(stream)))
    }

    /// The next message, or `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, Fault>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The one message of a unary request; none or several is [`Rejection::Invalid`].
    pub async fn into_one(mut self) -> Result<Bytes, Fault> {
        let Some(first) = self.next().await else {
            return Err(Fault::rejected(Rejection::Invalid, "the request has no message, this method takes one"));
        };
        match self.next().await {
            None => first,
            Some(Err(fault)) => Err(fault),
            Some(Ok(_)) => Err(Fault::rejected(Rejection::Invalid, "the request has several messages, this method takes one")),
        }
    }
}

impl Stream for Messages {
    type Item = Result<Bytes, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.0 {
            Inner::One(message) => Poll::Ready(message.take().map(Ok)),
            Inner::Many(stream) => stream.as_mut().poll_next(context),
        }
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies may be personal data: never printed.
        formatter.write_str(match &self.0 {
            Inner::One(_) => "Messages::one",
            Inner::Many(_) => "Messages::many",
        })
    }
}
