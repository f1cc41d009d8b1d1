//! The upstream: a gRPC echo in its own process, on one thread, light enough not to be what is measured.

use std::convert::Infallible;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use passerelle_bus::call::Coalesce;
use tokio::net::{TcpListener, TcpStream};

/// The echo's path, and the only one that is asked.
pub(crate) const PATH: &str = "/bench.echo.v1.Echo/Call";

/// Bytes of the message's one field.
const BODY_BYTES: usize = 256;

/// The request's frame: not compressed, length, then field 1 with its length and bytes.
pub(crate) fn frame() -> Vec<u8> {
    let field: [u8; 3] = [0x0a, 0x80, 0x02]; // tag of field 1, 256 as a varint
    let length = u32::try_from(field.len() + BODY_BYTES).expect("a small message");
    let body = (0..BODY_BYTES).map(|at| at as u8);
    [0].into_iter().chain(length.to_be_bytes()).chain(field).chain(body).collect()
}

/// Prints "listening PORT" and serves until killed.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        println!("listening {}", listener.local_addr().expect("an address").port());
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream));
        }
    });
}

async fn connection(stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut server = http2::Builder::new(TokioExecutor::new());
    server.max_concurrent_streams(1000).initial_connection_window_size(1 << 20);
    // A proxy that goes away ends its connection as it likes.
    let _ = server.serve_connection(TokioIo::new(Coalesce::new(stream)), service_fn(answer)).await;
}

async fn answer(request: Request<Incoming>) -> Result<Response<BoxBody<Bytes, Infallible>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
    let mut response = Response::new(Full::new(body).with_trailers(std::future::ready(Some(Ok(trailers)))).boxed());
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    Ok(response)
}
