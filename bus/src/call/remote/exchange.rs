//! One call to a remote back office: request out, answer back, nothing decoded.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use h2::{RecvStream, SendStream};
use h2::client::ResponseFuture;
use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, Request, Response, Uri, Version};
use hyper::body::{Body as _, Incoming};
use tonic::{Code, Status};
use tracing::{Instrument, debug_span};

use super::super::body::Body;
use super::super::frame::Measure;
use super::super::gateway::{CallLimits, Exchange};
use super::super::{deadline, status};
use super::slot::{Connection, Lease};
use super::upload::{Upload, UploadError};
use super::download::{Download, Sending};
use super::Remote;

/// How often a connection may turn out to be closing before the call gives up.
const LEASE_ATTEMPTS: usize = 4;

/// Carries the call. The answer streams on after this returns.
pub(in crate::call) async fn forward(
    remote: &Remote,
    request: Request<Incoming>,
    exchange: Exchange,
    limits: &CallLimits,
) -> Result<Response<Body>, (Status, Exchange)> {
    let (parts, body) = request.into_parts();
    let outcome = match exchange.deadline {
        None => start(remote, parts, body, None, limits).await,
        Some(at) => tokio::time::timeout_at(at.into(), start(remote, parts, body, Some(at), limits)).await.unwrap_or_else(|_| {
            Err(Status::deadline_exceeded(format!("back office {} did not answer within the deadline", remote.name())))
        }),
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
}

async fn start(
    remote: &Remote,
    parts: Parts,
    body: Incoming,
    deadline: Option<Instant>,
    limits: &CallLimits,
) -> Result<Started, Status> {
    let ended = body.is_end_stream();
    let (lease, mut response, stream) = open(remote, Request::from_parts(parts, ()), ended, deadline).await?;
    let mut upload = (!ended).then(|| Upload::new(body, stream, limits.message_bytes));
    let waiting = debug_span!(
        target: "passerelle::call",
        "back_office",
        otel.kind = "client",
        server.address = lease.0.authority.as_str(),
    );
    let response = poll_fn(|context| poll_exchange(context, &mut response, &mut upload)).instrument(waiting).await;
    match response {
        Ok(response) => {
            let (head, answer) = response.into_parts();
            Ok(Started { head, answer, upload, lease })
        }
        Err(Break::Upload(UploadError::TooLarge(error))) => Err(Status::resource_exhausted(error.to_string())),
        Err(Break::Upload(UploadError::Gone)) => Err(Status::cancelled("the caller went away")),
        Err(Break::Answer(error)) => Err(status::of_break(remote.name(), &error)),
    }
}

/// Opens a stream on a connection that takes new ones; a connection that is closing is retired and another one tried.
async fn open(
    remote: &Remote,
    mut request: Request<()>,
    ended: bool,
    deadline: Option<Instant>,
) -> Result<(Lease, ResponseFuture, SendStream<Bytes>), Status> {
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().remove(HOST);
    for _ in 0..LEASE_ATTEMPTS {
        let lease = remote.lease().await?;
        address(&mut request, &lease.0, deadline);
        // Asked last of all: from here to the sending nothing may close the connection unseen.
        match lease.0.sender.clone().ready().await {
            Ok(mut sender) => {
                let (response, stream) =
                    sender.send_request(request, ended).map_err(|error| status::of_break(remote.name(), &error))?;
                return Ok((lease, response, stream));
            }
            Err(_) => lease.0.retire(),
        }
    }
    Err(Status::unavailable(format!("back office {} closes its connections as soon as they are open", remote.name())))
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
    if let Some(running) = upload {
        match running.poll(context) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => *upload = None,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(Break::Upload(error))),
        }
    }
    std::pin::Pin::new(response).poll(context).map_err(Break::Answer)
}

fn answer(remote: &Remote, started: Started, mut exchange: Exchange, limits: &CallLimits) -> Response<Body> {
    let Started { head, answer, upload, lease } = started;
    if !is_grpc(&head.headers) {
        let status = status::of_http(remote.name(), head.status);
        exchange.observed.ended(status.code());
        return status::trailers_only(status);
    }
    lease.0.answered();
    let told = status::code(&head.headers);
    if answer.is_end_stream() {
        exchange.observed.ended(told.unwrap_or(Code::Unknown));
        return Response::from_parts(head, Body::Empty);
    }
    let download = Download {
        answer,
        sending: upload.map(Sending::start),
        measure: Measure::new(limits.message_bytes),
        deadline: exchange.deadline.map(Into::into),
        timer: None,
        told,
        observed: exchange.observed,
        lease: Some(lease),
    };
    Response::from_parts(head, Body::Remote(Box::new(download)))
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}
