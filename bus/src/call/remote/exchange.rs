//! One call to a remote back office: request out, answer back, nothing decoded.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use h2::client::ResponseFuture;
use h2::{Reason, RecvStream};
use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{Extensions, HeaderMap, Request, Response, Uri, Version};
use http_body::Body as _;
use tonic::{Code, Status};
use tracing::{Instrument, debug_span};

use super::super::body::Body;
use super::super::frame::Measure;
use super::super::gateway::{CallLimits, Exchange};
use super::super::hedge::Tried;
use super::super::inward::Inward;
use super::super::own::Track;
use super::super::policy::{Pushback, Retries};
use super::super::record::RequestTap;
use super::super::{deadline, status};
use super::Remote;
use super::connection::{Connection, Lease};
use super::download::{Download, Sending};
use super::upload::{Upload, UploadError};
use crate::contract::Sample;

/// How often a call is sent at most that no back office looks at, since connections turn out to be closing.
const ATTEMPTS: usize = 4;

/// Carries the call. The answer streams on after this returns.
pub(in crate::call) async fn forward(
    remote: &Remote,
    request: Request<Inward>,
    exchange: Exchange,
    retries: Option<Retries<'_>>,
    limits: &CallLimits,
) -> Result<Response<Body>, (Status, Exchange)> {
    let (parts, body) = request.into_parts();
    let outcome = match exchange.deadline {
        None => start(remote, parts, body, None, retries, limits).await,
        Some(at) => {
            tokio::time::timeout_at(at.into(), start(remote, parts, body, Some(at), retries, limits)).await.unwrap_or_else(|_| {
                Err(Status::deadline_exceeded(format!("back office {} did not answer within the deadline", remote.name())))
            })
        }
    };
    match outcome {
        Err(status) => Err((status, exchange)),
        Ok(started) => Ok(answer(remote, started, exchange, limits)),
    }
}

/// A call whose answer has begun.
struct Started {
    head: http::response::Parts,
    answer: RecvStream,
    upload: Option<Upload>,
    lease: Lease,
    track: Option<Track>,
}

async fn start(
    remote: &Remote,
    parts: Parts,
    body: Inward,
    deadline: Option<Instant>,
    mut retries: Option<Retries<'_>>,
    limits: &CallLimits,
) -> Result<Started, Status> {
    let mut body = Some(body).filter(|body| !body.is_end_stream());
    let mut request = Request::from_parts(parts, ());
    let mut sample = request.extensions_mut().remove::<Sample>();
    let mut tap = request.extensions_mut().remove::<RequestTap>().map(RequestTap::carried);
    let tried = request.extensions_mut().remove::<Tried>();
    let track = request.extensions_mut().remove::<Track>();
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().remove(HOST);
    *request.extensions_mut() = Extensions::new();
    let mut upload: Option<Upload> = None;
    let mut unprocessed = 0;
    while unprocessed < ATTEMPTS {
        let mut lease = remote.lease(deadline, tried.as_ref()).await?;
        address(&mut request, &lease.connection, deadline);
        let ended = body.is_none() && upload.is_none();
        let (mut response, stream) = match lease.connection.sender.clone().send_request(request.clone(), ended) {
            Ok(opened) => opened,
            Err(_) => {
                lease.connection.retire();
                unprocessed += 1;
                continue;
            }
        };
        track.iter().for_each(Track::sent);
        match (body.take(), &mut upload) {
            (Some(body), _) => upload = Some(Upload::new(body, stream, limits.message_bytes, sample.take(), tap.take())),
            (None, Some(upload)) => upload.repeat(stream),
            (None, None) => {}
        }
        let waiting = debug_span!(
            target: "passerelle::call",
            "back_office",
            otel.kind = "client",
            server.address = lease.connection.authority.as_str(),
        );
        match poll_fn(|context| poll_exchange(context, &mut response, &mut upload)).instrument(waiting).await {
            Ok(response) => {
                let (head, answer) = response.into_parts();
                // An answer with nothing but an outcome has not begun: gRPC calls it Trailers-Only.
                let outcome = status::code(&head.headers).filter(|_| answer.is_end_stream());
                if let Some(pause) =
                    outcome.and_then(|code| retry(&mut retries, upload.as_ref(), code, Pushback::of(&head.headers)))
                {
                    lease.ended(outcome.unwrap_or(Code::Unknown));
                    drop(lease);
                    again(&retries, &mut request, pause).await;
                    continue;
                }
                return Ok(Started { head, answer, upload: upload.and_then(Upload::rest), lease, track });
            }
            Err(Break::Answer(error)) if is_unprocessed(&error) && upload.as_ref().is_none_or(Upload::is_repeatable) => {
                track.iter().for_each(Track::unsent);
                unprocessed += 1;
            }
            Err(Break::Answer(error)) => {
                let broken = status::of_break(remote.name(), &error);
                lease.ended(broken.code());
                match retry(&mut retries, upload.as_ref(), broken.code(), Pushback::None) {
                    Some(pause) => {
                        drop(lease);
                        again(&retries, &mut request, pause).await;
                    }
                    None => return Err(broken),
                }
            }
            Err(Break::Upload(UploadError::TooLarge(error))) => return Err(Status::resource_exhausted(error.to_string())),
            Err(Break::Upload(UploadError::Gone)) => return Err(Status::cancelled("the caller went away")),
        }
    }
    Err(Status::unavailable(format!("back office {} takes no calls on the connections that it accepts", remote.name())))
}

/// The pause before another attempt, if there may be one and all that was sent can be sent again.
fn retry(retries: &mut Option<Retries<'_>>, upload: Option<&Upload>, code: Code, pushback: Pushback) -> Option<Duration> {
    let retries = retries.as_mut().filter(|_| upload.is_none_or(Upload::is_repeatable))?;
    retries.after(code, pushback, Instant::now(), fastrand::f64())
}

async fn again(retries: &Option<Retries<'_>>, request: &mut Request<()>, pause: Duration) {
    retries.iter().for_each(|retries| retries.tell(request.headers_mut()));
    tokio::time::sleep(pause).await;
}

/// Whether the back office says that it has not even looked at the call: a GOAWAY was under way when the call was sent, or
/// the stream was refused (RFC 9113, 8.7). Such a call is repeated elsewhere, as gRPC's transparent retry does.
fn is_unprocessed(error: &h2::Error) -> bool {
    error.is_remote() && (error.is_go_away() || (error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM)))
}

fn address(request: &mut Request<()>, connection: &Connection, deadline: Option<Instant>) {
    let mut uri = std::mem::take(request.uri_mut()).into_parts();
    uri.scheme = Some(connection.scheme.clone());
    uri.authority = Some(connection.authority.clone());
    // The path came in with a request, so the parts are a valid URI.
    *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
    if let Some(at) = deadline {
        deadline::write(request.headers_mut(), at, Instant::now());
    }
}

enum Break {
    Upload(UploadError),
    Answer(h2::Error),
}

fn poll_exchange(
    context: &mut std::task::Context<'_>,
    response: &mut ResponseFuture,
    upload: &mut Option<Upload>,
) -> Poll<Result<Response<RecvStream>, Break>> {
    if let Some(upload) = upload
        && let Poll::Ready(Err(error)) = upload.poll(context)
    {
        return Poll::Ready(Err(Break::Upload(error)));
    }
    std::pin::Pin::new(response).poll(context).map_err(Break::Answer)
}

fn answer(remote: &Remote, started: Started, mut exchange: Exchange, limits: &CallLimits) -> Response<Body> {
    let Started { head, answer, upload, mut lease, track } = started;
    if !is_grpc(&head.headers) {
        lease.failed();
        let status = status::of_http(remote.name(), head.status);
        exchange.observed.ended(status.code());
        return status::trailers_only(status);
    }
    lease.connection.answered();
    let told = status::code(&head.headers);
    if answer.is_end_stream() {
        if told.is_some() {
            track.iter().for_each(Track::answered);
        }
        let untrue = match told {
            None => Some(status::of_silence(remote.name())),
            Some(Code::Ok) if exchange.observed.expects_one_message() => {
                Some(status::of_untrue(remote.name(), &Measure::new(limits.message_bytes)))
            }
            Some(_) => None,
        };
        let code = untrue.as_ref().map_or(told.unwrap_or(Code::Unknown), Status::code);
        lease.ended(code);
        exchange.observed.ended(code);
        return untrue.map_or_else(|| Response::from_parts(head, Body::Empty), status::trailers_only);
    }
    if !exchange.observed.is_unary() {
        lease.lasts();
    }
    let download = Download {
        answer,
        sending: upload.map(Sending::start),
        measure: Measure::new(limits.message_bytes),
        deadline: exchange.deadline.map(Into::into),
        timer: None,
        told,
        track,
        observed: exchange.observed,
        lease: Some(lease),
    };
    Response::from_parts(head, Body::Remote(Box::new(download)))
}

pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}
