//! What answers on the channels' port: the bus's own services by name, every other method by the gateway.

use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use passerelle_bus::call::{Body, Gateway};
use tonic::service::Routes;
use tower::ServiceExt;

use super::listener::Service;
use super::operators;

/// The channels' side of the bus.
#[derive(Clone)]
pub(crate) struct Front {
    gateway: Arc<Gateway>,
    own: Routes,
}

impl Front {
    pub(crate) fn new(gateway: Arc<Gateway>, own: Routes) -> Self {
        Self { gateway, own: own.prepare() }
    }
}

impl Service for Front {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if request.version() != Version::HTTP_2 {
            return without_http2();
        }
        let path = request.uri().path();
        match self.gateway.find(path) {
            Some(route) => self.gateway.carry(route, request).await,
            None if is_own(path) => own(self.own.clone(), request).await,
            None => self.gateway.refuse(&request),
        }
    }
}

/// Whether a method's path is of a service that the bus answers itself on the channels' port.
fn is_own(path: &str) -> bool {
    let service = path.strip_prefix('/').and_then(|path| path.split_once('/')).map(|(service, _)| service);
    service.is_some_and(|service| operators::OWN_TO_CHANNELS.iter().any(|own| own.contains(&service)))
}

/// Hands a request to services of our own.
pub(crate) async fn own(routes: Routes, request: Request<Incoming>) -> Response<Body> {
    // Routes never fail: what goes wrong is in the answer.
    let Ok(response) = routes.oneshot(request.map(tonic::body::Body::new)).await;
    response.map(Body::Own)
}

/// For those who come with a browser or curl.
fn without_http2() -> Response<Body> {
    let text = "this is Passerelle: it speaks gRPC over HTTP/2 here (curl --http2-prior-knowledge, or `passerelle call`)\n";
    let mut response = Response::new(Body::Text(Some(text.into())));
    *response.status_mut() = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    // The port's write coalescing is made for HTTP/2: an HTTP/1.1 connection ends with its answer.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
