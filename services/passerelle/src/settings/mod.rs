//! Settings: the one struct tree that is parser, JSON schema and reference page at once.

mod address;
mod channels;
mod compatibility;
mod delivery;
mod endpoint;
mod environment;
mod error;
mod hedge;
mod journal;
mod limits;
mod load;
mod place;
mod policy;
mod retry;
pub(crate) mod schema;
mod secrets;
mod servers;
mod share;
#[cfg(test)]
mod tests;
mod tls;
mod watch;
mod written;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use passerelle_services::customer::callback::line::CallbackSettings;
use passerelle_services::customer::handoff::HandoffSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use address::{Address, ListenAddress};
pub use channels::Channels;
pub use compatibility::Compatibility;
pub use delivery::Delivery;
pub use endpoint::{AdapterFile, Contract, Endpoint, EndpointName, Remote};
pub use error::Error;
pub use journal::Journal;
pub use limits::Limits;
pub use load::{Loaded, load};
pub use policy::Policy;
pub use schema::json_schema;
pub use secrets::ProcessSecrets;
pub use servers::{HealthCheck, Outlier};
pub use tls::{EndpointTls, ListenerTls};
pub use watch::{Log, LogFormat, Telemetry};

/// The adapter of endpoints where customers are called back.
pub const DESK: &str = "callback";
/// The kind of adapter that is a process of its own.
pub const REMOTE: &str = "remote";

/// The settings of `passerelle serve`, as written in one YAML file. Each key can also be given by an environment variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Settings of Passerelle")]
pub struct Settings {
    /// Where channels connect: the one port that speaks gRPC. An IP address and a port; port 0 takes a free one.
    /// Loopback unless told otherwise.
    pub listen: ListenAddress,
    /// TLS on `listen`. Without it the port speaks plain HTTP/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,
    /// The second port, for operators: health, metrics and administration.
    pub admin: Admin,
    /// Folder for what Passerelle keeps: the contracts, the journal. Made if missing; one running Passerelle a folder.
    pub data_dir: PathBuf,
    /// What was published and what happened, on disk before it is acknowledged.
    pub journal: Journal,
    /// Threads that carry calls. Default: one for each core.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024))]
    pub workers: Option<u32>,
    /// What is logged, and how. Logs go to standard error.
    pub log: Log,
    /// Traces over OTLP. Off unless `otlp_endpoint` is set.
    pub telemetry: Telemetry,
    /// Bounds on what a peer may ask of Passerelle.
    pub limits: Limits,
    /// How channels say who they are, and whom they call for.
    pub channels: Channels,
    /// How a stop (SIGTERM, SIGINT) treats calls in flight.
    pub drain: Drain,
    /// Web callback: who calls customers back, and when.
    #[serde(skip_serializing_if = "CallbackSettings::is_empty")]
    pub callback: CallbackSettings,
    /// Hand-offs of matters from one channel to another: how long things last.
    pub handoff: HandoffSettings,
    /// Messages for consumers, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub deliveries: BTreeMap<String, Delivery>,
    /// Which changes of a contract are refused.
    pub compatibility: Compatibility,
    /// Folder of route files (`*.yaml`): where calls go that their contract's endpoint alone does not tell. Read at the start, and again
    /// after SIGHUP or `passerelle route reload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<PathBuf>,
    /// Folder of translations between message types (`*.yaml`), with examples beside them (`*.examples.yaml`). Read at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translations: Option<PathBuf>,
    /// The back offices, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub endpoints: BTreeMap<EndpointName, Endpoint>,
}

/// The port for operators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// Where operators and probes connect. An IP address and a port; port 0 takes a free one.
    pub listen: ListenAddress,
    /// TLS on this port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,
}

/// How a stop treats calls in flight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Drain {
    /// How long calls in flight may take to end after a stop was asked, in milliseconds. New calls go elsewhere (GOAWAY). What is closed after
    /// them has what is left of it, each step at least a second.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub grace_ms: u64,
}

impl Settings {
    /// How many threads carry calls: what is written, or one for each core.
    pub fn worker_threads(&self) -> usize {
        match self.workers {
            Some(threads) => threads as usize,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Names of the endpoints where customers can be called back.
    pub fn desks(&self) -> Vec<&str> {
        let desk = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Adapter(file) if file.adapter == DESK);
        self.endpoints.iter().filter(|(_, endpoint)| desk(endpoint)).map(|(name, _)| name.as_str()).collect()
    }

    /// Where the journal is.
    pub fn journal_dir(&self) -> PathBuf {
        self.journal.dir.clone().unwrap_or_else(|| self.data_dir.join("journal"))
    }

    /// Makes every path absolute to `folder`, that of the settings file: a daemon's working directory must not matter.
    fn resolve_paths(&mut self, folder: &Path) {
        let Self { tls, admin, data_dir, journal, routes, translations, endpoints, .. } = self;
        resolve(folder, data_dir);
        journal.dir.iter_mut().chain(routes).chain(translations).for_each(|dir| resolve(folder, dir));
        for tls in [tls.as_mut(), admin.tls.as_mut()].into_iter().flatten() {
            tls.paths_mut().for_each(|path| resolve(folder, path));
        }
        for endpoint in endpoints.values_mut() {
            endpoint.paths_mut().into_iter().for_each(|path| resolve(folder, path));
        }
    }
}

fn resolve(folder: &Path, path: &mut PathBuf) {
    *path = folder.join(&*path);
}

impl Drain {
    /// [`Drain::grace_ms`] as a duration.
    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: ListenAddress(SocketAddr::from(([127, 0, 0, 1], 7400))),
            tls: None,
            admin: Admin::default(),
            data_dir: PathBuf::from("passerelle-data"),
            journal: Journal::default(),
            workers: None,
            log: Log::default(),
            telemetry: Telemetry::default(),
            limits: Limits::default(),
            channels: Channels::default(),
            drain: Drain::default(),
            callback: CallbackSettings::default(),
            handoff: HandoffSettings::default(),
            deliveries: BTreeMap::new(),
            compatibility: Compatibility::default(),
            routes: None,
            translations: None,
            endpoints: BTreeMap::new(),
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self { listen: ListenAddress(SocketAddr::from(([127, 0, 0, 1], 7401))), tls: None }
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self { grace_ms: 30_000 }
    }
}
