//! The service's methods, by path. Written by hand, because requests are not of the generated types (see [`super::request`]).

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use passerelle_proto::bus::v1;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::service_fn;

use super::request::{PublishRequest, PublishStreamRequest};
use super::{Service, message};

/// Bytes that a request is read to, so that one that is too large is told which of its messages is.
const REQUEST_BYTES: usize = 4 * message::LARGEST;

/// A [`Service`] as a listener takes it.
#[derive(Clone)]
pub struct Server {
    service: Service,
}

impl Server {
    pub(super) fn new(service: Service) -> Self {
        Self { service }
    }
}

impl NamedService for Server {
    const NAME: &'static str = "passerelle.bus.v1.Journal";
}

impl tower::Service<http::Request<Body>> for Server {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.service.clone();
        async move {
            Ok(match request.uri().path() {
                "/passerelle.bus.v1.Journal/Publish" => service.serve_publish(request).await,
                "/passerelle.bus.v1.Journal/PublishStream" => service.serve_publish_stream(request).await,
                "/passerelle.bus.v1.Journal/Subscribe" => service.serve_subscribe(request).await,
                "/passerelle.bus.v1.Journal/Acknowledge" => service.serve_acknowledge(request).await,
                _ => Status::unimplemented("passerelle.bus.v1.Journal has no such method").into_http(),
            })
        }
        .boxed()
    }
}

impl Service {
    async fn serve_publish(self, request: http::Request<Body>) -> http::Response<Body> {
        let method = service_fn(|request: Request<PublishRequest>| {
            let service = self.clone();
            async move { service.publish(request.into_inner()).await.map(Response::new) }
        });
        grpc::<v1::PublishResponse, _>().unary(method, request).await
    }

    async fn serve_publish_stream(self, request: http::Request<Body>) -> http::Response<Body> {
        let method = service_fn(|request: Request<Streaming<PublishStreamRequest>>| {
            let stream = self.publish_stream(request.into_inner());
            async move { Ok::<_, Status>(Response::new(stream)) }
        });
        grpc::<v1::PublishStreamResponse, _>().streaming(method, request).await
    }

    async fn serve_subscribe(self, request: http::Request<Body>) -> http::Response<Body> {
        let method = service_fn(|request: Request<v1::SubscribeRequest>| {
            let service = self.clone();
            async move { service.subscribe(request.into_inner()).await.map(Response::new) }
        });
        grpc::<v1::SubscribeResponse, _>().server_streaming(method, request).await
    }

    async fn serve_acknowledge(self, request: http::Request<Body>) -> http::Response<Body> {
        let method = service_fn(|request: Request<v1::AcknowledgeRequest>| {
            let service = self.clone();
            async move { service.acknowledge(request.into_inner()).await.map(Response::new) }
        });
        grpc::<v1::AcknowledgeResponse, _>().unary(method, request).await
    }
}

fn grpc<Answer, Asked>() -> Grpc<ProstCodec<Answer, Asked>>
where
    Answer: prost::Message + Send + 'static,
    Asked: prost::Message + Default + Send + 'static,
{
    Grpc::new(ProstCodec::default()).max_decoding_message_size(REQUEST_BYTES)
}
