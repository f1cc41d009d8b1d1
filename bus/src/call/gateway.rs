//! The way of a call through the bus: found by its path, carried to its endpoint, observed to its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tonic::Status;
use tracing::{Instrument, Span, field};

use super::body::Body;
use super::endpoint::Target;
use super::inward::Inward;
use super::observe::{Observed, Propagation};
use super::policy::Retries;
use super::record::Recorders;
use super::{Route, Table, adapter, deadline, hedge, observe, remote, routed, status, translated};

/// Limits of every call.
#[derive(Debug, Clone)]
pub struct CallLimits {
    /// One message, either way, in bytes at most.
    pub message_bytes: u32,
    /// The deadline of unary calls that come without one; `None` lets them wait for ever.
    pub default_timeout: Option<Duration>,
}

/// Carries calls to the endpoints of a table that may be replaced at any time; what is in flight goes on.
#[derive(Debug)]
pub struct Gateway {
    table: ArcSwap<Table>,
    limits: CallLimits,
    propagation: Option<Propagation>,
    recorders: Arc<Recorders>,
    /// Places for copies to those who are told of a call that others answer.
    copies: Arc<Semaphore>,
}

/// Copies under way at most.
const MOST_COPIES: usize = 1_000;

/// What a call carries along besides its request.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) deadline: Option<Instant>,
    pub(super) observed: Observed,
}

impl Gateway {
    /// A gateway that serves nothing yet.
    pub fn new(limits: CallLimits, propagation: Option<Propagation>) -> Self {
        Self {
            table: ArcSwap::default(),
            limits,
            propagation,
            recorders: Arc::default(),
            copies: Arc::new(Semaphore::new(MOST_COPIES)),
        }
    }

    /// Replaces all routes at once.
    pub fn replace(&self, table: Table) {
        self.table.store(Arc::new(table));
    }

    /// The routes of this moment.
    pub fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// Those who listen to its calls.
    pub fn recorders(&self) -> &Arc<Recorders> {
        &self.recorders
    }

    /// The route of a path.
    pub fn find(&self, path: &str) -> Option<Arc<Route>> {
        self.table.load().find(path).cloned()
    }

    /// Carries one call to the route's endpoint, or to where its rules send it. Dropping the future, or the answer's body, cancels it
    /// there.
    pub async fn carry(&self, route: Arc<Route>, request: Request<Incoming>) -> Response<Body> {
        let started = Instant::now();
        if let Some(refusal) = not_grpc(&request) {
            return refusal;
        }
        self.lead(route, request.map(Inward::coming), started).await
    }

    /// Carries one call, whoever asks for it.
    pub(super) async fn lead(&self, route: Arc<Route>, request: Request<Inward>, started: Instant) -> Response<Body> {
        if route.choice.is_none() {
            return self.carry_to(route, request, started).await;
        }
        // Boxed: calls that nothing is decided about shall not carry the room for it.
        match Box::pin(routed::choose(self, &route, request, started)).await {
            Ok((chosen, request)) => self.carry_to(chosen, request, started).await,
            Err(status) => refuse(Observed::start(route, started, Span::none()), status),
        }
    }

    /// Carries one call to the route's endpoint.
    async fn carry_to(&self, route: Arc<Route>, mut request: Request<Inward>, started: Instant) -> Response<Body> {
        let span = self.span(&route, &mut request);
        let mut observed = Observed::start(route.clone(), started, span.clone());
        if let Some(sample) = route.count(request.headers(), started) {
            request.extensions_mut().insert(sample);
        }
        let deadline = match self.deadline(&route, request.headers(), started) {
            Ok(deadline) => deadline,
            Err(status) => return refuse(observed, status),
        };
        observed.due(deadline);
        let exchange = Exchange { deadline, observed };
        let taps = self.recorders.tap(&route, &mut request, started);
        let work = self.dispatch(&route, request, exchange);
        let response = if span.is_disabled() { work.await } else { work.instrument(span).await };
        match taps {
            None => response,
            Some(taps) => taps.answered(response),
        }
    }

    /// When a call shall have its outcome.
    pub(super) fn deadline(&self, route: &Route, headers: &HeaderMap, started: Instant) -> Result<Option<Instant>, Status> {
        let timeout = deadline::timeout(headers).map_err(|error| Status::invalid_argument(error.to_string()))?;
        let timeout = timeout.or(self.limits.default_timeout.filter(|_| route.streaming.is_unary()));
        if timeout == Some(Duration::ZERO) {
            return Err(Status::deadline_exceeded("the deadline had passed when the call came"));
        }
        // A timeout beyond what the clock can say is none.
        Ok(timeout.and_then(|timeout| started.checked_add(timeout)))
    }

    pub(super) fn copies(&self) -> &Arc<Semaphore> {
        &self.copies
    }

    pub(super) fn limits(&self) -> &CallLimits {
        &self.limits
    }

    /// Answers a method that nobody serves.
    pub fn refuse(&self, request: &Request<Incoming>) -> Response<Body> {
        observe::unknown_method();
        let method = request.uri().path().trim_start_matches('/');
        let text = format!("no endpoint of this bus serves the method {}", shown(method));
        not_grpc(request).unwrap_or_else(|| status::trailers_only(Status::unimplemented(text)))
    }

    async fn dispatch(&self, route: &Arc<Route>, request: Request<Inward>, exchange: Exchange) -> Response<Body> {
        if let Some(translated) = &route.translated {
            return Box::pin(translated::carry(translated, request, exchange, &self.limits)).await;
        }
        // Boxed: calls that share nothing shall not carry the room for it.
        match (route.share(), route.hedge()) {
            (None, None) => pass(route, request, exchange, &self.limits).await,
            (None, Some(_)) => Box::pin(hedge::carry(route, request, exchange, &self.limits)).await,
            (Some(share), _) => Box::pin(route.endpoint.share.carry(share, route, request, exchange, &self.limits)).await,
        }
    }

    fn span(&self, route: &Route, request: &mut Request<Inward>) -> Span {
        let span = tracing::debug_span!(
            target: "passerelle::call",
            "call",
            otel.name = route.method(),
            otel.kind = "server",
            otel.status_code = field::Empty,
            rpc.system.name = "grpc",
            rpc.method = route.method(),
            rpc.response.status_code = field::Empty,
            passerelle.endpoint = route.endpoint.name(),
        );
        if let Some(propagation) = self.propagation.filter(|_| !span.is_disabled()) {
            (propagation.extract)(&span, request.headers());
            (propagation.inject)(&span, request.headers_mut());
        }
        span
    }
}

/// Carries a call to the back office, when its policy lets it in.
pub(super) async fn pass(
    route: &Arc<Route>,
    request: Request<Inward>,
    exchange: Exchange,
    limits: &CallLimits,
) -> Response<Body> {
    match admit(route, &request, exchange).await {
        Ok(exchange) => ask(route, request, exchange, limits).await,
        Err(turned_away) => turned_away,
    }
}

/// Lets a call in, or turns it away.
pub(super) async fn admit(route: &Route, request: &Request<Inward>, mut exchange: Exchange) -> Result<Exchange, Response<Body>> {
    let policy = &route.endpoint.policy;
    match policy.admit(route, request.headers(), exchange.observed.started(), exchange.deadline).await {
        Ok(admission) => {
            exchange.observed.admitted(admission);
            Ok(exchange)
        }
        Err(status) => {
            tracing::debug!(
                method = route.method(),
                endpoint = route.endpoint.name(),
                reason = status.message(),
                "a call was turned away"
            );
            Err(refuse(exchange.observed, status))
        }
    }
}

/// Asks the back office, which the call was let in to: again or twice where its method may be and its policy says so.
pub(super) async fn ask(
    route: &Arc<Route>,
    mut request: Request<Inward>,
    exchange: Exchange,
    limits: &CallLimits,
) -> Response<Body> {
    let policy = &route.endpoint.policy;
    if let Some(settings) = route.hedge()
        && let Some(message) = request.body().whole()
        && let Some(hedges) = policy.hedges(settings, route, request.headers_mut(), &exchange)
    {
        let (parts, _) = request.into_parts();
        return Box::pin(hedge::ask(route, parts, message, exchange, hedges, limits)).await;
    }
    let retries = policy.retries(route, request.headers_mut(), &exchange);
    ask_once(route, request, exchange, retries, limits).await
}

/// Asks the back office, again where `retries` say so.
pub(super) async fn ask_once(
    route: &Route,
    request: Request<Inward>,
    exchange: Exchange,
    retries: Option<Retries<'_>>,
    limits: &CallLimits,
) -> Response<Body> {
    let outcome = match &route.endpoint.target {
        Target::Remote(remote) => remote::forward(remote, request, exchange, retries, limits).await,
        Target::Adapter(adapter) => adapter::call(adapter, route, request, exchange, retries, limits).await,
    };
    outcome.unwrap_or_else(|(status, exchange)| {
        tracing::debug!(method = route.method(), endpoint = route.endpoint.name(), code = ?status.code(), "a call failed on the bus");
        refuse(exchange.observed, status)
    })
}

/// Ends a call with an outcome of the bus's own.
pub(super) fn refuse(mut observed: Observed, status: Status) -> Response<Body> {
    observed.ended(status.code());
    status::trailers_only(status)
}

/// As much of a stranger's text as an error may repeat.
fn shown(method: &str) -> &str {
    method.get(..200).unwrap_or(method)
}

/// gRPC over HTTP/2 is a POST with `application/grpc`; anything else gets a plain HTTP answer.
fn not_grpc(request: &Request<Incoming>) -> Option<Response<Body>> {
    let content_type = request.headers().get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let is_grpc = matches!(content_type.strip_prefix(b"application/grpc"), Some([] | [b'+' | b';', ..]));
    let (http, text) = if request.method() != Method::POST {
        (StatusCode::METHOD_NOT_ALLOWED, "a gRPC method is called with POST\n")
    } else if !is_grpc {
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "this port speaks gRPC: content-type application/grpc\n")
    } else {
        return None;
    };
    let mut response = Response::new(Body::Text(Some(text.into())));
    *response.status_mut() = http;
    Some(response)
}
