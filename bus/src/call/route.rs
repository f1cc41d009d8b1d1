//! Which endpoint serves which method, swapped whole when contracts or endpoints change.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Uri};

use super::endpoint::Endpoint;
use super::observe::Meter;
use super::policy::{HedgeSettings, MethodSettings, Pace, ShareSettings};
use super::translated::Translated;
use crate::contract::{Idempotency, Method, MethodUse, Sample};
use crate::route::Rules;
use crate::translation::Exposed;

/// One method of a registered contract and the endpoint that serves it.
#[derive(Debug)]
pub struct Route {
    pub(super) path: String,
    /// The contract and its version.
    pub(super) contract: String,
    pub(super) streaming: Streaming,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) meter: Meter,
    /// Where it is counted who calls it.
    uses: Option<(Arc<MethodUse>, Arc<Method>)>,
    /// What was declared about the method.
    pub(super) rules: MethodSettings,
    /// Whether its contract says that it may be called again.
    idempotent: bool,
    /// Whether its contract says that it reads and changes nothing.
    read_only: bool,
    /// How long a call of it takes.
    pub(super) pace: Pace,
    /// What decides where its calls go, besides itself.
    pub(super) choice: Option<Choice>,
    /// How another method serves its calls.
    pub(super) translated: Option<Translated>,
}

/// Where the calls of a method may go instead.
#[derive(Debug)]
pub enum Choice {
    /// As its routes say; the destinations are in the order of their goals.
    Rules(Arc<Rules>, Vec<Arc<Route>>),
    /// Its routes cannot be used with the contract that is registered. Its calls are refused: nobody knows where they belong.
    Unusable,
}

/// Which sides of a method stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streaming {
    /// The caller sends any number of messages; else exactly one, which adapters get in the short form.
    pub client: bool,
    /// The back office answers any number of messages.
    pub server: bool,
}

impl Streaming {
    /// One message each way: the only calls that get a deadline when they come without one, since a stream may be meant to last.
    pub(super) fn is_unary(self) -> bool {
        !self.client && !self.server
    }
}

impl Route {
    /// A route for `path` (`/package.Service/Method`).
    pub fn new(path: &str, streaming: Streaming, endpoint: Arc<Endpoint>) -> Self {
        let method = path.trim_start_matches('/');
        let meter = Meter::new(method, endpoint.name());
        let rules = endpoint.policy.method(method);
        Self {
            path: path.to_owned(),
            contract: String::new(),
            streaming,
            endpoint,
            meter,
            rules,
            idempotent: false,
            read_only: false,
            pace: Pace::default(),
            uses: None,
            choice: None,
            translated: None,
        }
    }

    /// A route for a method of a registered contract, as the contract describes it.
    pub fn serving(method: &Method, endpoint: Arc<Endpoint>) -> Self {
        let streaming = Streaming { client: method.client_streaming, server: method.server_streaming };
        Self::new(&method.path, streaming, endpoint)
            .idempotent(method.idempotency != Idempotency::Unknown)
            .read_only(method.idempotency == Idempotency::NoSideEffects)
            .contract(format!("{}@{}", method.contract, method.version))
    }

    /// A request with the path of this method.
    pub(super) fn addressed(&self, mut parts: Parts) -> Parts {
        if parts.uri.path() != self.path
            && let Ok(path) = PathAndQuery::try_from(self.path.as_str())
        {
            let mut uri = std::mem::take(&mut parts.uri).into_parts();
            uri.path_and_query = Some(path);
            parts.uri = Uri::from_parts(uri).unwrap_or_default();
        }
        parts
    }

    /// Its calls go where something else decides.
    pub fn choosing(self, choice: Option<Choice>) -> Self {
        Self { choice, ..self }
    }

    /// Counts who calls it.
    pub fn counted(self, uses: Arc<MethodUse>, method: Arc<Method>) -> Self {
        Self { uses: Some((uses, method)), ..self }
    }

    /// Counts a call; gives a sample if its request is to be looked into.
    pub(super) fn count(&self, headers: &HeaderMap, started: Instant) -> Option<Sample> {
        let (uses, method) = self.uses.as_ref()?;
        uses.record(headers, started, &method.input)
    }

    /// Its calls are served by another method, whose own route this is.
    pub fn translated(self, exposed: Arc<Exposed>, to: Route) -> Self {
        Self { translated: Some(Translated { exposed, to: Arc::new(to) }), ..self }
    }

    /// The contract says whether the method may be called again when it is not known if it had its effect.
    pub fn idempotent(self, idempotent: bool) -> Self {
        Self { idempotent, ..self }
    }

    /// The contract says whether the method reads and changes nothing.
    pub fn read_only(self, read_only: bool) -> Self {
        Self { read_only, ..self }
    }

    /// The contract and version that the method is of.
    pub fn contract(self, id: String) -> Self {
        Self { contract: id, ..self }
    }

    /// Whether the method reads and changes nothing, as was declared or else as its contract says.
    pub(super) fn only_reads(&self) -> bool {
        self.rules.read_only.unwrap_or(self.read_only)
    }

    /// Whether it may be called again when it is not known if it had its effect, as was declared or else as its contract says.
    pub(super) fn is_idempotent(&self) -> bool {
        self.rules.idempotent.unwrap_or(self.idempotent || self.only_reads())
    }

    /// How its calls are shared, if they may be.
    pub(super) fn share(&self) -> Option<&ShareSettings> {
        self.rules.share.as_ref().filter(|_| self.only_reads() && self.streaming.is_unary())
    }

    /// How its calls are hedged, if they may be.
    pub(super) fn hedge(&self) -> Option<&HedgeSettings> {
        self.rules.hedge.as_ref().filter(|_| self.only_reads() && self.streaming.is_unary())
    }

    /// Whether its calls were declared to be shared or hedged, and are not: nobody says that it only reads, or it streams.
    pub fn is_ignoring(&self) -> bool {
        self.rules.share.is_some() && self.share().is_none() || self.rules.hedge.is_some() && self.hedge().is_none()
    }

    /// The full method name without a leading slash.
    pub fn method(&self) -> &str {
        self.path.trim_start_matches('/')
    }
}

/// All routes by path.
#[derive(Debug, Default)]
pub struct Table {
    routes: HashMap<String, Arc<Route>>,
}

impl Table {
    /// A table of these routes; a path given twice keeps the last.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Self {
        Self { routes: routes.into_iter().map(|route| (route.path.clone(), Arc::new(route))).collect() }
    }

    /// The route of a path.
    pub fn find(&self, path: &str) -> Option<&Arc<Route>> {
        self.routes.get(path)
    }

    /// How many methods are routed.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether nothing is routed.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }
}
