//! One call, looked at closely, before anything is measured: the bytes come back, and the status in the trailers says so.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::echo;

/// Why a target does not echo; `Ok` when it does.
pub(crate) fn echoes(target: SocketAddr) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async { call(target).await.map_err(|error| error.to_string())? })
}

async fn call(target: SocketAddr) -> Result<Result<(), String>, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(target).await?;
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::post(format!("http://{target}{}", echo::PATH))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from(echo::frame())))?;
    let response = client.send_request(request).await?;
    let head = format!("{:?}", response.headers());
    let collected = response.into_body().collect().await?;
    let status = collected.trailers().and_then(|trailers| trailers.get("grpc-status").cloned());
    let right = status.as_ref().is_some_and(|status| status == "0") && collected.to_bytes() == echo::frame();
    Ok(if right { Ok(()) } else { Err(format!("grpc-status {status:?} after {head}")) })
}
