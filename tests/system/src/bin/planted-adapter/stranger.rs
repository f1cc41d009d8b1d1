//! One that speaks a version of the port that no bus knows yet.

use passerelle_adapter_server::Listen;
use passerelle_proto::adapter::v1;
use passerelle_proto::adapter::v1::adapter_server::{Adapter, AdapterServer};
use tokio::io::AsyncReadExt;
use tokio::net::UnixListener;
use tokio_stream::Empty;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

/// Serves until its standard input ends, which the bus holds.
pub(crate) async fn serve(listen: Listen) {
    let Listen::Unix(path) = listen else { panic!("a bus that starts an adapter names a socket") };
    let socket = UnixListener::bind(path).expect("a socket in a new folder");
    let over = async {
        let _ = tokio::io::stdin().read_u8().await;
    };
    let served = Server::builder().add_service(AdapterServer::new(Stranger));
    served.serve_with_incoming_shutdown(UnixListenerStream::new(socket), over).await.expect("it serves to its end");
}

struct Stranger;

fn no<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("version 1 of the port"))
}

#[tonic::async_trait]
impl Adapter for Stranger {
    async fn describe(&self, _: Request<v1::DescribeRequest>) -> Result<Response<v1::DescribeResponse>, Status> {
        let kind = "scenes/planted".to_owned();
        Ok(Response::new(v1::DescribeResponse { version: 2, kind, ..v1::DescribeResponse::default() }))
    }

    async fn configure(&self, _: Request<v1::ConfigureRequest>) -> Result<Response<v1::ConfigureResponse>, Status> {
        no()
    }

    type CallStream = Empty<Result<v1::CallResponse, Status>>;

    async fn call(&self, _: Request<Streaming<v1::CallRequest>>) -> Result<Response<Self::CallStream>, Status> {
        no()
    }

    async fn lookup(&self, _: Request<v1::LookupRequest>) -> Result<Response<v1::LookupResponse>, Status> {
        no()
    }

    type OpenStream = Empty<Result<v1::OpenResponse, Status>>;

    async fn open(&self, _: Request<Streaming<v1::OpenRequest>>) -> Result<Response<Self::OpenStream>, Status> {
        no()
    }

    async fn health(&self, _: Request<v1::HealthRequest>) -> Result<Response<v1::HealthResponse>, Status> {
        no()
    }

    async fn drain(&self, _: Request<v1::DrainRequest>) -> Result<Response<v1::DrainResponse>, Status> {
        no()
    }
}
