//! A call whose destination its routes decide: its first message is read where they look into it, then it goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::Request;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body::Body as _;
use http_body_util::BodyExt;
use tonic::{Code, Status};

use super::frame::{self, Announced};
use super::gateway::{self, Exchange, Gateway};
use super::inward::Inward;
use super::observe::{Observed, code_name};
use super::route::Choice;
use super::share::Answer;
use super::{Route, deadline, status};
use crate::route::{COPIES, PeekError, Rule, Taken};

/// How long who is only told may take, where calls may last for ever.
const COPY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a caller is told whose messages cannot be looked into.
const COMPRESSED: &str = "messages that are routed by their content must not be compressed; accepted is identity";

/// Room that is made for a message before its bytes have come.
const RESERVED_BYTES: usize = 128 * 1024;

/// What was read of a request: its first message, and what came with its end.
struct First {
    read: Bytes,
    /// Bytes of the first message with its prefix; 0: the request has none.
    framed: usize,
}

/// Where a call goes, and the request as it goes there. Whoever else is to be told is told from here.
pub(super) async fn choose(
    gateway: &Gateway,
    route: &Arc<Route>,
    request: Request<Inward>,
    started: Instant,
) -> Result<(Arc<Route>, Request<Inward>), Status> {
    let (rules, goals) = match &route.choice {
        Some(Choice::Rules(rules, goals)) => (rules, goals),
        Some(Choice::Unusable) => return Err(unusable(route)),
        None => return Ok((route.clone(), request)),
    };
    let (parts, mut body) = request.into_parts();
    let mut first = First { read: Bytes::new(), framed: 0 };
    if rules.needs_message() {
        let deadline = gateway.deadline(route, &parts.headers, started)?;
        (first, body) = within(deadline, First::of(body, gateway.limits().message_bytes)).await?;
    }
    let chosen = rules.choose(&rules.envelope(&parts.headers), first.message()).map_err(refused)?;
    tell(gateway, &chosen, goals, &parts, &first)?;
    let Some((rule, target)) = chosen.first().and_then(|taken| Some((taken.rule, goals.get(taken.to)?))) else {
        return Ok((route.clone(), Request::from_parts(parts, first.before(body))));
    };
    tracing::debug!(method = route.method(), route = rule.name(), endpoint = target.endpoint.name(), "a call was routed");
    let stripped = rule.stripped(first.message()).map_err(|error| refused(error.into()))?;
    let mut parts = target.addressed(parts);
    let first = match stripped.filter(|_| first.framed > 0) {
        None => first,
        Some(message) => {
            parts.headers.remove(CONTENT_LENGTH);
            first.replaced(&message)?
        }
    };
    Ok((target.clone(), Request::from_parts(parts, first.before(body))))
}

impl First {
    /// Reads until the first message is whole.
    async fn of(mut body: Inward, limit: u32) -> Result<(Self, Inward), Status> {
        let mut read = BytesMut::new();
        loop {
            match frame::announced(&read, limit).map_err(|error| Status::resource_exhausted(error.to_string()))? {
                Some(Announced { compressed: true, .. }) => return Err(status::compressed(COMPRESSED)),
                Some(Announced { framed, .. }) if framed <= read.len() => {
                    return Ok((Self { read: read.freeze(), framed }, body));
                }
                // Not all at once: what is announced need not come.
                Some(Announced { framed, .. }) => read.reserve((framed - read.len()).min(RESERVED_BYTES)),
                None => {}
            }
            match body.frame().await {
                Some(Ok(frame)) => {
                    // gRPC requests have no trailers.
                    if let Some(data) = frame.data_ref() {
                        read.extend_from_slice(data);
                    }
                }
                // What has no message is for the back office to judge.
                None if body.is_end_stream() && read.is_empty() => return Ok((Self { read: Bytes::new(), framed: 0 }, body)),
                None if body.is_end_stream() => {
                    return Err(Status::invalid_argument("the request ends in the middle of a message"));
                }
                Some(Err(_)) | None => return Err(Status::cancelled("the caller went away")),
            }
        }
    }

    /// The first message; empty where there is none, which then says what an empty one does.
    fn message(&self) -> &[u8] {
        self.read.get(frame::PREFIX_BYTES..self.framed).unwrap_or_default()
    }

    /// With another message in its place.
    fn replaced(&self, message: &[u8]) -> Result<Self, Status> {
        let framed = frame::frame(message).map_err(|error| Status::resource_exhausted(error.to_string()))?;
        let behind = &self.read[self.framed..];
        let read = if behind.is_empty() { framed.clone() } else { [&framed[..], behind].concat().into() };
        Ok(Self { read, framed: framed.len() })
    }

    /// The request from its beginning.
    fn before(self, body: Inward) -> Inward {
        if self.read.is_empty() { body } else { body.again(self.read) }
    }
}

/// Tells all that are to be told and do not answer.
fn tell(gateway: &Gateway, chosen: &[Taken<'_>], goals: &[Arc<Route>], parts: &Parts, first: &First) -> Result<(), Status> {
    let Some(answers) = chosen.first() else { return Ok(()) };
    let mut told = vec![answers.to];
    for (index, Taken { rule, to }) in chosen.iter().enumerate() {
        let others = (index > 0).then_some(*to).into_iter().chain(rule.also().iter().copied());
        for goal in others {
            if told.contains(&goal) || first.framed == 0 {
                continue;
            }
            told.push(goal);
            let Some(target) = goals.get(goal) else { continue };
            let message = match rule.stripped(first.message()).map_err(|error| refused(error.into()))? {
                None => first.read.slice(..first.framed),
                Some(stripped) => first.replaced(&stripped)?.read,
            };
            copy(gateway, rule, target, parts, message);
        }
    }
    Ok(())
}

/// Sends a copy, whose answer nobody hears. There are so many under way at most; further ones are let go.
fn copy(gateway: &Gateway, rule: &Rule, target: &Arc<Route>, parts: &Parts, message: Bytes) {
    let (name, route) = (rule.name().to_owned(), target.clone());
    let count = move |outcome: &'static str| {
        metrics::counter!(COPIES, "passerelle_route" => name, "outcome" => outcome).increment(1);
    };
    let Ok(place) = gateway.copies().clone().try_acquire_owned() else { return count("LET_GO") };
    let limits = gateway.limits().clone();
    let mut parts = target.addressed(parts.clone());
    parts.headers.remove(deadline::GRPC_TIMEOUT);
    parts.headers.remove(CONTENT_LENGTH);
    tokio::spawn(async move {
        let now = Instant::now();
        let deadline = now.checked_add(limits.default_timeout.unwrap_or(COPY_TIMEOUT));
        let exchange = Exchange { deadline, observed: Observed::of_bus(route.clone(), now) };
        let request = Request::from_parts(parts, Inward::read(message));
        let answer = Answer::read(gateway::pass(&route, request, exchange, &limits).await).await;
        count(code_name(answer.map_or(Code::Unknown, |answer| answer.code())));
        drop(place);
    });
}

async fn within<T>(deadline: Option<Instant>, work: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    match deadline {
        None => work.await,
        Some(at) => tokio::time::timeout_at(at.into(), work)
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("the request was not sent within the deadline"))),
    }
}

fn refused(error: PeekError) -> Status {
    match error {
        PeekError::Malformed(_) => Status::invalid_argument(error.to_string()),
        PeekError::TooMany | PeekError::TooLarge => Status::resource_exhausted(error.to_string()),
    }
}

fn unusable(route: &Route) -> Status {
    Status::failed_precondition(format!(
        "the routes of {} do not fit the contract that is registered: nobody knows where the call belongs",
        route.method()
    ))
}
