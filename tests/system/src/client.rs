//! A gRPC client that sends and gets bytes: it knows no contract.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio_stream::Stream;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Response, Status, Streaming};

/// What a test waits for at most before it calls something a hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// Calls one server over one connection, which is made when first used. Unlike tonic's own channel it never acts on the
/// deadline that it sends: what ends a call is always the server.
#[derive(Debug, Clone)]
pub struct Client(Grpc<Http<HttpConnector, Body>>);

impl Client {
    /// A client of the server there. Needs a tokio runtime.
    pub fn new(server: SocketAddr) -> Self {
        let origin = format!("http://{server}").parse().expect("an address makes a URI");
        let http = Http::builder(TokioExecutor::new()).http2_only(true).build_http();
        Self(Grpc::with_origin(http, origin).max_decoding_message_size(usize::MAX))
    }

    /// Calls a unary method (`/package.Service/Method`). Fails when no answer comes at all.
    pub async fn call(&self, path: &str, message: impl Into<Bytes>) -> Result<Bytes, Status> {
        self.send(path, Request::new(message.into())).await
    }

    /// As [`Client::call`], with a deadline that the server is told.
    pub async fn call_within(&self, deadline: Duration, path: &str, message: impl Into<Bytes>) -> Result<Bytes, Status> {
        let mut request = Request::new(message.into());
        let millis = format!("{}m", deadline.as_millis()).parse().expect("digits and a letter");
        request.metadata_mut().insert("grpc-timeout", millis);
        self.send(path, request).await
    }

    /// Calls a server-streaming method.
    pub async fn follow(&self, path: &str, message: impl Into<Bytes>) -> Result<Streaming<Bytes>, Status> {
        let path = path.parse().expect("a path");
        let mut grpc = self.0.clone();
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        grpc.server_streaming(Request::new(message.into()), path, BytesCodec).await.map(Response::into_inner)
    }

    /// Calls a client-streaming method.
    pub async fn upload(&self, path: &str, messages: impl Stream<Item = Bytes> + Send + 'static) -> Result<Bytes, Status> {
        let path = path.parse().expect("a path");
        let mut grpc = self.0.clone();
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        grpc.client_streaming(Request::new(messages), path, BytesCodec).await.map(Response::into_inner)
    }

    /// Waits until the daemon knows a method, as when it asks a back office by reflection which it has.
    pub async fn wait_until_known(&self, path: &str) {
        let known = async {
            let mut turn = tokio::time::interval(Duration::from_millis(20));
            while self.call(path, Bytes::new()).await.is_err_and(|status| status.code() == Code::Unimplemented) {
                turn.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, known).await.unwrap_or_else(|_| panic!("{path} stays unknown"));
    }

    /// As [`Client::call`], with metadata of the caller's choice.
    pub async fn send(&self, path: &str, request: Request<Bytes>) -> Result<Bytes, Status> {
        let path = path.parse().expect("a path");
        let call = async {
            let mut grpc = self.0.clone();
            grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            grpc.unary(request, path, BytesCodec).await.map(Response::into_inner)
        };
        tokio::time::timeout(PATIENCE, call).await.expect("an answer, before patience ends")
    }
}

#[derive(Debug, Clone, Copy)]
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(message);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
