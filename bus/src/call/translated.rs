//! A call of a method that another one serves: the request is translated on its way, the answer on its way back.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderName, Request, Response};
use tonic::{Code, Status};

use super::asked::Asked;
use super::body::Body;
use super::frame::{Deframer, PREFIX_BYTES, frame};
use super::gateway::{self, CallLimits, Exchange};
use super::inward::Inward;
use super::observe::Observed;
use super::record::RequestTap;
use super::share::Answer;
use super::{Route, status};
use crate::contract::Sample;
use crate::translation::{Exposed, Mapping};

/// What a caller is told whose messages cannot be read.
const COMPRESSED: &str = "messages that are translated must not be compressed; accepted is identity";
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// How the calls of a method are served by another.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) exposed: Arc<Exposed>,
    /// The method that serves them, at its endpoint.
    pub(super) to: Arc<Route>,
}

/// Carries one call.
pub(super) async fn carry(
    translated: &Translated,
    request: Request<Inward>,
    exchange: Exchange,
    limits: &CallLimits,
) -> Response<Body> {
    let Exchange { deadline, observed } = exchange;
    match answered(translated, request, deadline, &observed, limits).await {
        Ok(answer) => answer.give(None, observed),
        Err(status) => {
            tracing::debug!(endpoint = observed.endpoint(), code = ?status.code(), reason = status.message(), "a call was not translated");
            gateway::refuse(observed, status)
        }
    }
}

async fn answered(
    Translated { exposed, to }: &Translated,
    request: Request<Inward>,
    deadline: Option<Instant>,
    observed: &Observed,
    limits: &CallLimits,
) -> Result<Arc<Answer>, Status> {
    let (mut parts, body) = request.into_parts();
    let read = whole(body, deadline, limits).await?;
    if let Some(sample) = parts.extensions.remove::<Sample>() {
        sample.look(&read);
    }
    if let Some(tap) = parts.extensions.remove::<RequestTap>().map(RequestTap::carried) {
        tap.pass(&read);
    }
    let message = only(&read, limits).ok_or_else(|| Status::invalid_argument("the request is not exactly one message"))??;
    let message = match &exposed.request {
        None => message,
        Some(mapping) => translate(mapping, &message).map_err(Status::invalid_argument)?,
    };
    let framed = frame(&message).map_err(|error| Status::resource_exhausted(error.to_string()))?;
    let mut parts = to.addressed(parts);
    parts.headers.remove(CONTENT_LENGTH);
    // What is translated has to be read.
    parts.headers.remove(GRPC_ACCEPT_ENCODING);
    let inner = Exchange { deadline, observed: Observed::of_bus(to.clone(), observed.started()) };
    let response = gateway::pass(to, Request::from_parts(parts, Inward::read(framed)), inner, limits).await;
    let answer = Answer::read(response).await.map_err(|_| Status::unavailable("the answer broke off"))?;
    let Some(mapping) = exposed.answer.as_ref().filter(|_| answer.code() == Code::Ok) else { return Ok(Arc::new(answer)) };
    let untranslated =
        |why: String| Status::internal(format!("the answer of {} cannot be translated: {why}", to.endpoint.name()));
    let message = only(answer.body(), limits).ok_or_else(|| untranslated("it is not exactly one message".to_owned()))?;
    let message = translate(mapping, &message?).map_err(untranslated)?;
    if message.len() > limits.message_bytes as usize {
        return Err(untranslated(format!("it has {} bytes, over the limit of {}", message.len(), limits.message_bytes)));
    }
    let framed = frame(&message).map_err(|error| Status::resource_exhausted(error.to_string()))?;
    Ok(Arc::new(answer.with_body(framed)))
}

fn translate(mapping: &Mapping, message: &[u8]) -> Result<Bytes, String> {
    mapping.translate_bytes(message).map(Bytes::from).map_err(|error| error.to_string())
}

/// Reads a request to its end.
async fn whole(body: Inward, deadline: Option<Instant>, limits: &CallLimits) -> Result<Bytes, Status> {
    let largest = limits.message_bytes as usize + PREFIX_BYTES;
    match Asked::read(body, largest, deadline).await {
        Asked::Whole(bytes) => Ok(bytes),
        Asked::Large(_) => {
            let text = format!("the request has a message over the limit of {} bytes", limits.message_bytes);
            Err(Status::resource_exhausted(text))
        }
        Asked::Gone => Err(Status::cancelled("the caller went away")),
        Asked::Late => Err(Status::deadline_exceeded("the request was not sent within the deadline")),
    }
}

/// The one message in it; nothing where there is none, more, or half of one.
fn only(bytes: &[u8], limits: &CallLimits) -> Option<Result<Bytes, Status>> {
    let mut deframer = Deframer::new(limits.message_bytes);
    deframer.push(bytes);
    match deframer.next() {
        Err(error) => Some(Err(Status::resource_exhausted(error.to_string()))),
        Ok(Some(frame)) if deframer.is_between_messages() => {
            Some(if frame.compressed { Err(status::compressed(COMPRESSED)) } else { Ok(frame.message) })
        }
        Ok(_) => None,
    }
}
