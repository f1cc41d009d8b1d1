//! The patterns of the route files, read when the bus begins and whenever its routes are.

use std::sync::Arc;

use passerelle_bus::pattern::{Patterns, Set};
use passerelle_bus::route::Sources;

use tokio::sync::watch;

use crate::explain::Code;
use crate::failure::Failure;
use crate::route_files::RouteFolder;
use crate::settings::Settings;

/// What the route files declare.
pub(super) fn declared(settings: &Settings) -> Result<Arc<Set>, Failure> {
    let refused = |error: String| Failure::new(Code::ROUTES_REFUSED, error);
    let folder = settings.routes.as_deref().map(RouteFolder::read).transpose().map_err(refused)?.unwrap_or_default();
    let sources = Sources::read(folder.routes).map_err(|error| refused(error.to_string()))?;
    Set::compile(&sources).map(Arc::new).map_err(|error| refused(error.to_string()))
}

/// Has the sets run that the routes are replaced with.
pub(super) async fn follow(patterns: Arc<Patterns>, mut sets: watch::Receiver<Arc<Set>>) {
    while sets.changed().await.is_ok() {
        let set = sets.borrow_and_update().clone();
        if let Err(error) = patterns.replace(set).await {
            tracing::error!(%error, "the patterns do not run until the routes are loaded again");
        }
    }
}
