//! Which endpoint serves which method, swapped whole when contracts or endpoints change.

use std::collections::HashMap;
use std::sync::Arc;

use super::endpoint::Endpoint;
use super::observe::Meter;

/// One method of a registered contract and the endpoint that serves it.
#[derive(Debug)]
pub struct Route {
    pub(super) path: String,
    pub(super) client_streaming: bool,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) meter: Meter,
}

impl Route {
    /// A route for `path` (`/package.Service/Method`). `client_streaming` lets adapters take unary requests in the short form.
    pub fn new(path: &str, client_streaming: bool, endpoint: Arc<Endpoint>) -> Self {
        let meter = Meter::new(path.trim_start_matches('/'), endpoint.name());
        Self { path: path.to_owned(), client_streaming, endpoint, meter }
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
