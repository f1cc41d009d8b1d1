//! `passerelle.bus.v1.Adapters`: the sorts of adapters that this bus was built with.

use std::sync::Arc;

use passerelle_adapter::Kind;
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::adapters_server::{self, AdaptersServer};
use tonic::{Request, Response, Status};

/// The service.
pub struct Adapters {
    kinds: Vec<Arc<dyn Kind>>,
}

impl Adapters {
    /// Shows `kinds`: the binary's adapter table.
    pub fn new(mut kinds: Vec<Arc<dyn Kind>>) -> Self {
        kinds.sort_by_key(|kind| kind.name());
        Self { kinds }
    }

    /// The service, ready for a listener.
    pub fn server(self) -> AdaptersServer<Self> {
        AdaptersServer::new(self)
    }
}

#[tonic::async_trait]
impl adapters_server::Adapters for Adapters {
    async fn list_adapters(
        &self,
        _request: Request<v1::ListAdaptersRequest>,
    ) -> Result<Response<v1::ListAdaptersResponse>, Status> {
        let adapters = self.kinds.iter().map(|kind| adapter(kind.as_ref())).collect();
        Ok(Response::new(v1::ListAdaptersResponse { adapters }))
    }

    async fn describe_adapter(
        &self,
        request: Request<v1::DescribeAdapterRequest>,
    ) -> Result<Response<v1::DescribeAdapterResponse>, Status> {
        let wanted = request.into_inner().kind;
        let Some(kind) = self.kinds.iter().find(|kind| kind.name() == wanted) else {
            let names: Vec<_> = self.kinds.iter().map(|kind| kind.name()).collect();
            return Err(Status::not_found(format!("no adapter {wanted:?}; available: {}", names.join(", "))));
        };
        let settings_schema_json = kind.settings_schema().to_string();
        Ok(Response::new(v1::DescribeAdapterResponse { adapter: Some(adapter(kind.as_ref())), settings_schema_json }))
    }
}

fn adapter(kind: &dyn Kind) -> v1::Adapter {
    v1::Adapter {
        kind: kind.name().to_owned(),
        summary: kind.summary().to_owned(),
        maturity: kind.maturity().as_str().to_owned(),
    }
}
