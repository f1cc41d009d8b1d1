//! Calls of the bus's own: one message to a method, on the way of every call; what is known of its effect is told with the outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderValue, Method, Request, Version};
use passerelle_adapter::{Fault, Lookup};
use tonic::Status;
use tonic_types::StatusExt;

use super::endpoint::Target;
use super::frame::frame;
use super::gateway::Gateway;
use super::inward::Inward;
use super::policy::Pushback;
use super::share::Answer;
use super::{Route, deadline};

/// A message for a method.
#[derive(Debug)]
pub struct Order<'a> {
    /// The method: `/package.Service/Method`.
    pub path: &'a str,
    /// Metadata besides what every call has.
    pub metadata: HeaderMap,
    /// The request.
    pub message: &'a [u8],
    /// How long it may take.
    pub timeout: Duration,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The outcome.
    pub status: Status,
    /// When to come back, where that was said.
    pub retry_after: Option<Duration>,
    /// What is known of the effect.
    pub reach: Reach,
    /// Whether the status is in the back office's own words, which may hold values of the message.
    pub is_foreign: bool,
}

/// How far a call has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nobody but the bus has seen it.
    Bus,
    /// The back office may have seen it, and has not said what became of it.
    Unknown,
    /// The back office said what became of it.
    Answered,
}

/// What must be known of a method before it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// One message each way.
    pub is_unary: bool,
    /// It may be called again when it is not known if it had its effect, as was declared or else as its contract says.
    pub is_idempotent: bool,
    /// What became of a call can be looked up.
    pub looks_up: bool,
}

/// Goes with a call, and is told how far it gets.
#[derive(Debug, Clone, Default)]
pub(super) struct Track(Arc<AtomicU8>);

impl Track {
    /// It goes to the back office.
    pub(super) fn sent(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    /// The back office has not looked at it.
    pub(super) fn unsent(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The back office said what became of it.
    pub(super) fn answered(&self) {
        self.0.store(2, Ordering::Relaxed);
    }

    fn reach(&self) -> Reach {
        match self.0.load(Ordering::Relaxed) {
            0 => Reach::Bus,
            1 => Reach::Unknown,
            _ => Reach::Answered,
        }
    }
}

impl Gateway {
    /// What is to be known of a method; `None`: nobody serves it now.
    pub fn manner(&self, path: &str) -> Option<Manner> {
        let route = self.find(path)?;
        let looks_up = adapter(&route).is_some_and(|adapter| adapter.abilities().lookup);
        Some(Manner { is_unary: route.streaming.is_unary(), is_idempotent: route.is_idempotent(), looks_up })
    }

    /// Calls a method of one message each way, as its routes and the policy of its endpoint have it.
    pub async fn call(&self, order: Order<'_>) -> Reply {
        let Order { path, metadata, message, timeout } = order;
        let refused = |status| Reply { status, retry_after: None, reach: Reach::Bus, is_foreign: false };
        let Some(route) = self.find(path) else {
            return refused(Status::unavailable(format!("no endpoint of this bus serves {} now", path.trim_start_matches('/'))));
        };
        let (started, track) = (Instant::now(), Track::default());
        let is_foreign = adapter(&route).is_none();
        let request = match request(path, metadata, message, started, timeout) {
            Ok(request) => request,
            Err(status) => return refused(status),
        };
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(track.clone());
        let response = self.lead(route, Request::from_parts(parts, body), started).await;
        let Ok(answer) = Answer::read(response).await else {
            return Reply { reach: track.reach(), ..refused(Status::unavailable("the answer broke off")) };
        };
        let status = Status::from_header_map(answer.outcome()).unwrap_or_else(|| Status::unknown("the answer has no outcome"));
        let pushback = match Pushback::of(answer.outcome()) {
            Pushback::After(pause) => Some(pause),
            Pushback::None | Pushback::Never => None,
        };
        let retry_after = pushback.or_else(|| status.get_details_retry_info().and_then(|info| info.retry_delay));
        let reach = track.reach();
        Reply { status, retry_after, reach, is_foreign: is_foreign && reach == Reach::Answered }
    }

    /// What became of a call of a method under that key, where that can be [looked up](Manner::looks_up).
    pub async fn look_up(&self, path: &str, key: &str) -> Result<Lookup, Fault> {
        let route = self.find(path);
        match route.as_deref().and_then(adapter) {
            Some(adapter) => adapter.lookup(key).await,
            None => Err(Fault::unavailable("no adapter of this bus serves the method now")),
        }
    }
}

/// The adapter that serves a method, where nothing else decides about its calls.
fn adapter(route: &Route) -> Option<&Arc<dyn passerelle_adapter::Adapter>> {
    match &route.endpoint.target {
        Target::Adapter(adapter) if route.choice.is_none() && route.translated.is_none() => Some(adapter),
        Target::Adapter(_) | Target::Remote(_) => None,
    }
}

fn request(
    path: &str,
    metadata: HeaderMap,
    message: &[u8],
    started: Instant,
    timeout: Duration,
) -> Result<Request<Inward>, Status> {
    let framed: Bytes = frame(message).map_err(|error| Status::resource_exhausted(error.to_string()))?;
    let mut request = Request::new(Inward::read(framed));
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = path.parse().map_err(|_| Status::unavailable("the method's name is no path"))?;
    let headers = request.headers_mut();
    *headers = metadata;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    // A timeout beyond what the clock can say is none.
    if let Some(at) = started.checked_add(timeout) {
        deadline::write(headers, at, started);
    }
    Ok(request)
}
