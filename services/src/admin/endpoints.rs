//! `passerelle.bus.v1.Endpoints`: where calls go, and how that is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::endpoints_server::{self, EndpointsServer};
use tonic::{Request, Response, Status};

/// Says what endpoints there are at this moment, by name; an adapter may have to ask its back office how it is.
pub type EndpointList = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Vec<v1::Endpoint>> + Send>> + Send + Sync>;

/// The service.
pub struct Endpoints {
    list: EndpointList,
}

impl Endpoints {
    /// Shows what `list` says.
    pub fn new(list: EndpointList) -> Self {
        Self { list }
    }

    /// The service, ready for a listener.
    pub fn server(self) -> EndpointsServer<Self> {
        EndpointsServer::new(self)
    }
}

#[tonic::async_trait]
impl endpoints_server::Endpoints for Endpoints {
    async fn list_endpoints(
        &self,
        _request: Request<v1::ListEndpointsRequest>,
    ) -> Result<Response<v1::ListEndpointsResponse>, Status> {
        Ok(Response::new(v1::ListEndpointsResponse { endpoints: (self.list)().await }))
    }
}
