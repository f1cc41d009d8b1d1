//! What answers on the operators' port: health, metrics, and the administration services.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use metrics_exporter_prometheus::PrometheusHandle;
use passerelle_bus::call::Body;
use tonic::service::Routes;

use super::durable::Durable;
use super::front::own;
use super::listener::Service;
use super::readiness::Readiness;

/// The operators' side of the bus.
#[derive(Clone)]
pub(crate) struct Admin {
    metrics: PrometheusHandle,
    durable: Arc<Durable>,
    ready: Arc<Readiness>,
    services: Routes,
}

impl Admin {
    pub(crate) fn new(metrics: PrometheusHandle, durable: Arc<Durable>, ready: Arc<Readiness>, services: Routes) -> Self {
        Self { metrics, durable, ready, services: services.prepare() }
    }
}

impl Service for Admin {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match request.uri().path() {
            "/livez" => text(StatusCode::OK, "alive\n"),
            "/readyz" => match self.ready.obstacle() {
                None => text(StatusCode::OK, "ready\n"),
                Some(obstacle) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{obstacle}\n")),
            },
            "/metrics" => {
                self.durable.measure();
                metrics(self.metrics.render())
            }
            "/" => {
                text(StatusCode::OK, "Passerelle, for operators: /livez /readyz /metrics, and gRPC (passerelle contract list)\n")
            }
            _ => own(self.services.clone(), request).await,
        }
    }
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::Text(Some(text.into())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The Prometheus text format (exposition formats, version 0.0.4).
fn metrics(page: String) -> Response<Body> {
    let mut response = Response::new(Body::Text(Some(page.into())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}
