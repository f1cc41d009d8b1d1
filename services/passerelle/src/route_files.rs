//! The folder of route files: routes, and beside them cases that say which route a call takes.

use std::path::Path;
use std::sync::Arc;

use http::HeaderName;
use passerelle_bus::contract::{MemoryStore, Registry, Snapshot};
use passerelle_bus::pattern;
use passerelle_bus::route::{Refused, Set, Sources, Surroundings};
use passerelle_bus::written::Text;

use crate::adapters;
use crate::explain::Code;
use crate::failure::Failure;
use crate::folder;
use crate::serve::clock::Wall;
use crate::serve::contracts;
use crate::settings::{Endpoint, Loaded, Settings};

/// How the names of files with cases end.
const CASES: [&str; 2] = [".cases.yaml", ".cases.yml"];
/// How the names of all files end that are looked at: routes, and models of decisions.
const FILES: [&str; 3] = [".yaml", ".yml", ".dmn"];

/// What is in the folder.
#[derive(Debug, Default)]
pub(crate) struct RouteFolder {
    /// Files of routes, and models of the decisions that choose for them.
    pub(crate) routes: Vec<Text>,
    /// Files of cases.
    pub(crate) cases: Vec<Text>,
}

impl RouteFolder {
    /// Reads all files that lie in the folder itself.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let (cases, routes) = folder::texts(folder, &FILES)?.into_iter().partition(|text| folder::ends(&text.name, &CASES));
        Ok(Self { routes, cases })
    }
}

/// What of the settings routes are held against.
#[derive(Debug)]
pub(crate) struct Known {
    endpoints: Vec<String>,
    channel_key: HeaderName,
}

impl Known {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            endpoints: settings.endpoints.keys().map(ToString::to_string).collect(),
            channel_key: settings.channels.resolved().name_key.clone(),
        }
    }

    /// Holds routes against these contracts.
    pub(crate) fn compile(&self, sources: &Sources, snapshot: &Snapshot) -> Result<Set, Refused> {
        let Self { endpoints, channel_key } = self;
        Set::compile(sources, &Surroundings { snapshot, endpoints, channel_key, clock: Arc::new(Wall) })
    }
}

/// The routes of settings without a running bus: held against the contracts that need no connection.
pub(crate) struct Offline {
    pub(crate) set: Set,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) cases: Vec<Text>,
    pub(crate) patterns: pattern::Set,
}

impl Offline {
    /// Reads the contracts and the routes that settings name.
    pub(crate) fn open(loaded: &Loaded) -> Result<Self, Failure> {
        let registry = Registry::open(Arc::new(MemoryStore::default())).map_err(Failure::plain)?;
        let runtime = crate::serve::runtime(1)?;
        for (name, endpoint) in &loaded.settings.endpoints {
            match endpoint {
                Endpoint::Adapter(file) => {
                    let adapter = runtime.block_on(adapters::open(loaded, name, file))?;
                    contracts::of_adapter(&registry, name.as_str(), adapter.as_ref())?;
                }
                Endpoint::Remote(remote) => {
                    if let Some(contract) = &remote.contract {
                        contracts::of_files(&registry, name.as_str(), contract)?;
                    }
                }
            }
        }
        Self::with(&loaded.settings, registry.snapshot())
    }

    /// Reads the routes, where the contracts are known.
    pub(crate) fn with(settings: &Settings, snapshot: Arc<Snapshot>) -> Result<Self, Failure> {
        let refused = |error: String| Failure::new(Code::ROUTES_REFUSED, error);
        let folder = settings.routes.as_deref().map(RouteFolder::read).transpose().map_err(refused)?.unwrap_or_default();
        let sources = Sources::read(folder.routes).map_err(|error| refused(error.to_string()))?;
        let set = Known::of(settings).compile(&sources, &snapshot).map_err(|error| refused(error.to_string()))?;
        let patterns = pattern::Set::compile(&sources).map_err(|error| refused(error.to_string()))?;
        Ok(Self { set, snapshot, cases: folder.cases, patterns })
    }
}
