//! The patterns of the route files, read when the bus begins.

use passerelle_bus::pattern::Set;
use passerelle_bus::route::Sources;

use crate::explain::Code;
use crate::failure::Failure;
use crate::route_files::RouteFolder;
use crate::settings::Settings;

/// What the route files declare.
pub(super) fn declared(settings: &Settings) -> Result<Set, Failure> {
    let refused = |error: String| Failure::new(Code::ROUTES_REFUSED, error);
    let folder = settings.routes.as_deref().map(RouteFolder::read).transpose().map_err(refused)?.unwrap_or_default();
    let sources = Sources::read(folder.routes).map_err(|error| refused(error.to_string()))?;
    Set::compile(&sources).map_err(|error| refused(error.to_string()))
}
