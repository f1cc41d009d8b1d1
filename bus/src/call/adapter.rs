//! One call to an adapter in this process: gRPC frames taken apart, messages handed over, the answer framed again.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::inward::Inward;
use super::lookup::look_up;
use bytes::Bytes;
use futures_util::stream::unfold;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use passerelle_adapter::{Adapter, Call, Fault, Messages, Rejection, TraceContext};
use tokio::time::Sleep;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::body::Body;
use super::frame::{Deframer, frame};
use super::gateway::{CallLimits, Exchange};
use super::observe::Observed;
use super::own::Track;
use super::policy::{Pushback, Retries};
use super::record::RequestTap;
use super::{Route, status};
use crate::contract::Sample;

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
/// The caller's key for "this very operation" (the draft header of IETF httpapi, as metadata).
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Said with an answer that was lost, and looked up by the key.
const LOOKED_UP: HeaderName = HeaderName::from_static("passerelle-looked-up");

/// What an adapter answers.
struct Started {
    messages: Messages,
    refusal: Refusal,
    looked_up: bool,
}

/// Carries the call. A unary request is read whole first, so that the adapter gets it in the short form.
pub(super) async fn call(
    adapter: &Arc<dyn Adapter>,
    route: &Route,
    request: Request<Inward>,
    exchange: Exchange,
    retries: Option<Retries<'_>>,
    limits: &CallLimits,
) -> Result<Response<Body>, (Status, Exchange)> {
    let outcome = match exchange.deadline {
        None => start(adapter, route, request, None, retries, limits).await,
        Some(at) => {
            tokio::time::timeout_at(at.into(), start(adapter, route, request, Some(at), retries, limits)).await.unwrap_or_else(
                |_| Err(Status::deadline_exceeded(format!("{} did not answer within the deadline", route.endpoint.name()))),
            )
        }
    };
    match outcome {
        Err(status) => Err((status, exchange)),
        Ok(started) => Ok(respond(started, exchange, limits)),
    }
}

async fn start(
    adapter: &Arc<dyn Adapter>,
    route: &Route,
    mut request: Request<Inward>,
    deadline: Option<Instant>,
    retries: Option<Retries<'_>>,
    limits: &CallLimits,
) -> Result<Started, Status> {
    let context = context(request.headers(), deadline);
    let compression = request.headers().get(GRPC_ENCODING).cloned();
    let refusal = Refusal::default();
    let sample = request.extensions_mut().remove::<Sample>();
    let tap = request.extensions_mut().remove::<RequestTap>().map(RequestTap::carried);
    let track = request.extensions_mut().remove::<Track>();
    let mut incoming =
        Requests { sample, tap, ..Requests::new(request.into_body(), limits.message_bytes, compression, refusal.clone()) };
    let call = |messages| Call { method: route.method().to_owned(), messages, context: context.clone() };
    if route.streaming.client {
        let messages =
            Messages::many(unfold(incoming, |mut incoming| async move { incoming.next().await.map(|next| (next, incoming)) }));
        return started(adapter, route, call(messages), refusal).await;
    }
    let message = incoming.only().await.map_err(|fault| refusal.status(fault))?;
    let mut retries = retries;
    loop {
        track.iter().for_each(Track::sent);
        let answered = started(adapter, route, call(Messages::one(message.clone())), refusal.clone()).await;
        track.iter().for_each(Track::answered);
        match answered {
            Ok(started) => return Ok(started),
            Err(status) => match retry(&mut retries, &status) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(status),
            },
        }
    }
}

/// One attempt.
async fn started(adapter: &Arc<dyn Adapter>, route: &Route, call: Call, refusal: Refusal) -> Result<Started, Status> {
    let key = call.context.idempotency_key.clone();
    let fault = match adapter.call(call).await {
        Ok(messages) => return Ok(Started { messages, refusal, looked_up: false }),
        // Nothing is lost where the bus itself refused the request.
        Err(fault) if refusal.0.get().is_some() => return Err(refusal.status(fault)),
        Err(fault) => fault,
    };
    match look_up(&**adapter, route, key.as_deref(), fault).await {
        Ok(answer) => Ok(Started { messages: Messages::one(answer), refusal, looked_up: true }),
        Err(fault) => Err(refusal.status(fault)),
    }
}

/// The pause before another attempt, if there may be one.
fn retry(retries: &mut Option<Retries<'_>>, status: &Status) -> Option<Duration> {
    let asked = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let pushback = asked.map_or(Pushback::None, Pushback::After);
    retries.as_mut()?.after(status.code(), pushback, Instant::now(), fastrand::f64())
}

fn context(headers: &HeaderMap, deadline: Option<Instant>) -> passerelle_adapter::Context {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    passerelle_adapter::Context {
        deadline,
        idempotency_key: text(IDEMPOTENCY_KEY),
        trace: TraceContext { traceparent: text(TRACEPARENT), tracestate: text(TRACESTATE) },
    }
}

/// What the bus itself has against the request. An adapter that reads a stream sees a fault, and may make another one of it:
/// the caller hears the bus's own reason.
#[derive(Debug, Clone, Default)]
struct Refusal(Arc<OnceLock<Status>>);

impl Refusal {
    fn status(&self, fault: Fault) -> Status {
        self.0.get().cloned().unwrap_or_else(|| status::of_fault(fault))
    }
}

/// The request's messages, one by one.
struct Requests {
    body: Inward,
    deframer: Deframer,
    compression: Option<HeaderValue>,
    refusal: Refusal,
    ended: bool,
    /// Set until the first message has come, in one call of many.
    sample: Option<Sample>,
    /// Set while the call is recorded.
    tap: Option<RequestTap>,
}

impl Requests {
    fn new(body: Inward, message_bytes: u32, compression: Option<HeaderValue>, refusal: Refusal) -> Self {
        Self { body, deframer: Deframer::new(message_bytes), compression, refusal, ended: false, sample: None, tap: None }
    }

    /// The one message of a request that does not stream.
    async fn only(&mut self) -> Result<Bytes, Fault> {
        let refuse = |text: &str| Err(Fault::rejected(Rejection::Invalid, text));
        let Some(message) = self.next().await else {
            return refuse("the request has no message, this method takes one");
        };
        match self.next().await {
            None => message,
            Some(Err(fault)) => Err(fault),
            Some(Ok(_)) => refuse("the request has several messages, this method takes one"),
        }
    }

    /// The next message; a fault is the last.
    async fn next(&mut self) -> Option<Result<Bytes, Fault>> {
        if self.ended {
            return None;
        }
        let next = self.read().await;
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }

    async fn read(&mut self) -> Option<Result<Bytes, Fault>> {
        loop {
            match self.deframer.next() {
                Err(error) => return Some(Err(self.refuse(Status::resource_exhausted(error.to_string())))),
                Ok(Some(frame)) if frame.compressed => return Some(Err(self.refuse(self.not_decompressed()))),
                Ok(Some(frame)) => {
                    if let Some(sample) = self.sample.take() {
                        sample.look_into(&frame.message);
                    }
                    return Some(Ok(frame.message));
                }
                Ok(None) => {}
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.tap.iter().for_each(|tap| tap.pass(data));
                        self.deframer.push(data);
                    }
                }
                None if self.body.is_end_stream() && self.deframer.is_between_messages() => return None,
                None if self.body.is_end_stream() => {
                    return Some(Err(self.refuse(Status::invalid_argument("the request ends in the middle of a message"))));
                }
                // Without END_STREAM the caller broke off: its messages must not look complete.
                Some(Err(_)) | None => return Some(Err(self.refuse(Status::cancelled("the caller went away")))),
            }
        }
    }

    fn refuse(&self, status: Status) -> Fault {
        let fault = Fault::rejected(Rejection::Invalid, status.message());
        // The first one counts.
        let _ = self.refusal.0.set(status);
        fault
    }

    fn not_decompressed(&self) -> Status {
        let name = self.compression.as_ref().and_then(|value| value.to_str().ok()).unwrap_or("no grpc-encoding header");
        let text = format!("messages to this endpoint must not be compressed ({name}); it accepts identity");
        status::compressed(&text)
    }
}

fn respond(started: Started, exchange: Exchange, limits: &CallLimits) -> Response<Body> {
    let Started { messages, refusal, looked_up } = started;
    let Exchange { deadline, observed } = exchange;
    let answer = Answer {
        messages: Some(messages),
        refusal,
        message_bytes: limits.message_bytes,
        deadline: deadline.map(Into::into),
        timer: None,
        observed,
    };
    let mut response = Response::new(Body::Adapter(Box::new(answer)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if looked_up {
        headers.insert(LOOKED_UP, HeaderValue::from_static("true"));
    }
    response
}

/// The adapter's messages as frames, then the outcome as trailers.
#[derive(Debug)]
pub struct Answer {
    /// `None` once the trailers are out.
    messages: Option<Messages>,
    refusal: Refusal,
    message_bytes: u32,
    deadline: Option<tokio::time::Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    observed: Observed,
}

impl Answer {
    pub(super) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        let Some(messages) = &mut self.messages else {
            return Poll::Ready(None);
        };
        let next = futures_core::Stream::poll_next(Pin::new(messages), context);
        let status = match next {
            // An answer that never pauses ends at its deadline too.
            Poll::Ready(Some(_)) if self.deadline.is_some_and(|at| at <= tokio::time::Instant::now()) => late(),
            Poll::Ready(Some(Ok(message))) => match self.framed(&message) {
                Ok(frame) => return Poll::Ready(Some(frame)),
                Err(status) => status,
            },
            Poll::Ready(Some(Err(fault))) => self.refusal.status(fault),
            Poll::Ready(None) => Status::new(Code::Ok, ""),
            Poll::Pending => {
                ready!(self.poll_deadline(context));
                late()
            }
        };
        self.messages = None;
        self.observed.ended(status.code());
        Poll::Ready(Some(Frame::trailers(status::trailers(&status))))
    }

    /// Only an answer that really waits costs a timer.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline))).as_mut().poll(context)
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

fn late() -> Status {
    Status::deadline_exceeded("the answer was not finished within the deadline")
}
