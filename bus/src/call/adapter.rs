//! One call to an adapter in this process: gRPC frames taken apart, messages handed over, the answer framed again.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream::unfold;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use passerelle_adapter::{Adapter, Call, Fault, Messages, Rejection, TraceContext};
use tokio::time::Sleep;
use tonic::{Code, Status};

use super::body::Body;
use super::frame::{Deframer, frame};
use super::gateway::{CallLimits, Exchange};
use super::observe::Observed;
use super::{Route, status};

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
/// The caller's key for "this very operation" (the draft header of IETF httpapi, as metadata).
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Carries the call. A unary request is read whole first, so that the adapter gets it in the short form.
pub(super) async fn call(
    adapter: &Arc<dyn Adapter>,
    route: &Route,
    request: Request<Incoming>,
    exchange: Exchange,
    limits: &CallLimits,
) -> Result<Response<Body>, (Status, Exchange)> {
    let outcome = match exchange.deadline {
        None => start(adapter, route, request, None, limits).await,
        Some(at) => {
            tokio::time::timeout_at(at.into(), start(adapter, route, request, Some(at), limits)).await.unwrap_or_else(|_| {
                Err(Status::deadline_exceeded(format!("{} did not answer within the deadline", route.endpoint.name())))
            })
        }
    };
    match outcome {
        Err(status) => Err((status, exchange)),
        Ok(messages) => Ok(respond(messages, exchange, limits)),
    }
}

async fn start(
    adapter: &Arc<dyn Adapter>,
    route: &Route,
    request: Request<Incoming>,
    deadline: Option<Instant>,
    limits: &CallLimits,
) -> Result<Messages, Status> {
    let context = context(request.headers(), deadline);
    let compression = request.headers().get(GRPC_ENCODING).cloned();
    let mut incoming = Requests::new(request.into_body(), limits.message_bytes, compression);
    let messages = if route.streaming.client {
        Messages::many(unfold(incoming, |mut incoming| async move { incoming.next().await.map(|next| (next, incoming)) }))
    } else {
        let first = incoming.next().await;
        let nothing = || Fault::rejected(Rejection::Invalid, "the request has no message, this method takes one");
        let message = first.unwrap_or_else(|| Err(nothing())).map_err(incoming.refusal())?;
        if let Some(second) = incoming.next().await {
            second.map_err(incoming.refusal())?;
            return Err(Status::invalid_argument("the request has several messages, this method takes one"));
        }
        Messages::one(message)
    };
    let call = Call { method: route.method().to_owned(), messages, context };
    adapter.call(call).await.map_err(status::of_fault)
}

fn context(headers: &HeaderMap, deadline: Option<Instant>) -> passerelle_adapter::Context {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    passerelle_adapter::Context {
        deadline,
        idempotency_key: text(IDEMPOTENCY_KEY),
        trace: TraceContext { traceparent: text(TRACEPARENT), tracestate: text(TRACESTATE) },
    }
}

/// The request's messages, one by one.
struct Requests {
    body: Incoming,
    deframer: Deframer,
    compression: Option<HeaderValue>,
    too_large: bool,
}

impl Requests {
    fn new(body: Incoming, message_bytes: u32, compression: Option<HeaderValue>) -> Self {
        Self { body, deframer: Deframer::new(message_bytes), compression, too_large: false }
    }

    async fn next(&mut self) -> Option<Result<Bytes, Fault>> {
        loop {
            match self.deframer.next() {
                Err(error) => {
                    self.too_large = true;
                    return Some(Err(Fault::rejected(Rejection::Invalid, error.to_string())));
                }
                Ok(Some(frame)) if frame.compressed => return Some(Err(self.not_decompressed())),
                Ok(Some(frame)) => return Some(Ok(frame.message)),
                Ok(None) => {}
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.deframer.push(data);
                    }
                }
                Some(Err(_)) => return Some(Err(Fault::unavailable("the caller went away"))),
                None if self.deframer.is_between_messages() => return None,
                None => return Some(Err(Fault::rejected(Rejection::Invalid, "the request ends in the middle of a message"))),
            }
        }
    }

    fn not_decompressed(&self) -> Fault {
        let name = self.compression.as_ref().and_then(|value| value.to_str().ok()).unwrap_or("no grpc-encoding header");
        Fault::Unimplemented {
            message: format!("messages to this endpoint must not be compressed ({name}); it accepts identity"),
        }
    }

    /// A message over the limit is RESOURCE_EXHAUSTED to a gRPC caller, whatever class it has for the port.
    fn refusal(&self) -> impl Fn(Fault) -> Status + use<> {
        let too_large = self.too_large;
        move |fault| if too_large { Status::resource_exhausted(fault.to_string()) } else { status::of_fault(fault) }
    }
}

fn respond(messages: Messages, exchange: Exchange, limits: &CallLimits) -> Response<Body> {
    let Exchange { deadline, observed } = exchange;
    let answer = Answer {
        messages: Some(messages),
        message_bytes: limits.message_bytes,
        deadline: deadline.map(|at| Box::pin(tokio::time::sleep_until(at.into()))),
        observed,
    };
    let mut response = Response::new(Body::Adapter(Box::new(answer)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    response
}

/// The adapter's messages as frames, then the outcome as trailers.
#[derive(Debug)]
pub struct Answer {
    /// `None` once the trailers are out.
    messages: Option<Messages>,
    message_bytes: u32,
    deadline: Option<Pin<Box<Sleep>>>,
    observed: Observed,
}

impl Answer {
    pub(super) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        let Some(messages) = &mut self.messages else {
            return Poll::Ready(None);
        };
        let next = futures_core::Stream::poll_next(Pin::new(messages), context);
        let status = match next {
            Poll::Ready(Some(Ok(message))) => match self.framed(&message) {
                Ok(frame) => return Poll::Ready(Some(frame)),
                Err(status) => status,
            },
            Poll::Ready(Some(Err(fault))) => status::of_fault(fault),
            Poll::Ready(None) => Status::new(Code::Ok, ""),
            Poll::Pending => match self.deadline.as_mut().map(|timer| timer.as_mut().poll(context)) {
                Some(Poll::Ready(())) => Status::deadline_exceeded("the answer was not finished within the deadline"),
                Some(Poll::Pending) | None => return Poll::Pending,
            },
        };
        self.messages = None;
        self.observed.ended(status.code());
        Poll::Ready(Some(Frame::trailers(status::trailers(&status))))
    }

    fn framed(&self, message: &[u8]) -> Result<Frame<Bytes>, Status> {
        if message.len() > self.message_bytes as usize {
            let text =
                format!("the answer has a message of {} bytes, over the limit of {} bytes", message.len(), self.message_bytes);
            return Err(Status::resource_exhausted(text));
        }
        frame(message).map(Frame::data).map_err(|error| Status::resource_exhausted(error.to_string()))
    }
}
