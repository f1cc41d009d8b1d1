//! `passerelle.bus.v1.Routes`: the set of routes that runs, replaced whole.

use std::sync::Arc;

use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::routes_server::{self, RoutesServer};
use tonic::{Request, Response, Status};

/// Who reads route files and runs them. Everything here may block on files and on compiling.
pub trait RouteFiles: Send + Sync + 'static {
    /// What runs.
    fn list(&self) -> v1::ListRoutesResponse;

    /// Reads the files anew, and runs them unless only asked what would be.
    ///
    /// # Errors
    /// What is wrong with them, for people; nothing has changed then.
    fn reload(&self, dry_run: bool) -> Result<v1::ReloadRoutesResponse, String>;

    /// Runs what ran before.
    ///
    /// # Errors
    /// Why that cannot be; nothing has changed then.
    fn roll_back(&self) -> Result<v1::RouteSet, String>;
}

/// The service.
pub struct Routes {
    files: Arc<dyn RouteFiles>,
}

impl Routes {
    /// Shows and changes what `files` runs.
    pub fn new(files: Arc<dyn RouteFiles>) -> Self {
        Self { files }
    }

    /// The service, ready for a listener.
    pub fn server(self) -> RoutesServer<Self> {
        RoutesServer::new(self)
    }

    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn RouteFiles) -> Result<T, String> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let files = self.files.clone();
        let done = tokio::task::spawn_blocking(move || work(&*files)).await;
        let done = done.map_err(|_| Status::internal("the routes could not be looked at"))?;
        done.map(Response::new).map_err(Status::failed_precondition)
    }
}

#[tonic::async_trait]
impl routes_server::Routes for Routes {
    async fn list_routes(&self, _request: Request<v1::ListRoutesRequest>) -> Result<Response<v1::ListRoutesResponse>, Status> {
        self.aside(|files| Ok(files.list())).await
    }

    async fn reload_routes(
        &self,
        request: Request<v1::ReloadRoutesRequest>,
    ) -> Result<Response<v1::ReloadRoutesResponse>, Status> {
        let dry_run = request.into_inner().dry_run;
        self.aside(move |files| files.reload(dry_run)).await
    }

    async fn roll_back_routes(
        &self,
        _request: Request<v1::RollBackRoutesRequest>,
    ) -> Result<Response<v1::RollBackRoutesResponse>, Status> {
        self.aside(|files| files.roll_back().map(|set| v1::RollBackRoutesResponse { set: Some(set) })).await
    }
}
