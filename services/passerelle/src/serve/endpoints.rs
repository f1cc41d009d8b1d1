//! Opens the endpoints of the settings: connections to back offices, adapters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::Adapter;
use passerelle_bus::call::{AddressState, Declared, Endpoint, OutlierSettings, Remote, RemoteSettings};
use passerelle_bus::contract::Registry;

use super::clock::Wall;
use super::contracts;
use super::names::Names;
use super::reads;
use super::tls;
use crate::adapters;
use crate::explain::Code;
use crate::failure::Failure;
use crate::settings::{self, Contract, Loaded};

/// How long connecting to servers given with `contract add` may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the names of such servers are resolved.
const RESOLVE_EVERY: Duration = Duration::from_secs(30);

/// The endpoints of the settings.
#[derive(Default)]
pub(crate) struct Opened {
    /// All of them, by name.
    pub(crate) endpoints: BTreeMap<String, Arc<Endpoint>>,
    /// Those that are adapters, by name.
    pub(crate) adapters: Vec<(String, Arc<dyn Adapter>)>,
    /// Those where customers are called back, by name.
    pub(crate) desks: BTreeMap<String, Arc<dyn Adapter>>,
    /// Those whose contract is known only when they have been reached.
    pub(crate) to_come: Vec<(String, Arc<dyn Adapter>)>,
}

/// Opens all endpoints and registers the contracts they speak. Nothing behind needs to be up.
pub(crate) async fn open(loaded: &Loaded, registry: &Registry) -> Result<Opened, Failure> {
    let mut opened = Opened::default();
    for (name, described) in &loaded.settings.endpoints {
        let declared = Declared { policy: described.policy().resolved(), ..nothing_declared(&loaded.settings) };
        let endpoint = match described {
            settings::Endpoint::Remote(remote) => {
                if let Some(contract) = &remote.contract {
                    contracts::of_files(registry, name.as_str(), contract)?;
                }
                remote_endpoint(loaded, name.as_str(), remote, declared)?
            }
            settings::Endpoint::Adapter(file) => {
                let adapter = adapters::open(loaded, name, file).await?;
                match file.adapter == settings::REMOTE {
                    true => opened.to_come.push((name.to_string(), adapter.clone())),
                    false => contracts::of_adapter(registry, name.as_str(), adapter.as_ref())?,
                }
                opened.adapters.push((name.to_string(), adapter.clone()));
                if file.adapter == settings::DESK {
                    opened.desks.insert(name.to_string(), adapter.clone());
                }
                Endpoint::adapter(name.as_str(), adapter, declared)
            }
        };
        reads::check(loaded, name, described.policy(), registry)?;
        opened.endpoints.insert(name.to_string(), Arc::new(endpoint));
    }
    Ok(opened)
}

/// Looks once at what stands behind an adapter: the first caller should not be the first to find out that it is away, or what it can do.
pub(crate) async fn look(endpoint: Arc<Endpoint>) {
    let status = endpoint.status().await;
    let down = status.addresses.iter().filter(|address| status.adapter.is_some() && address.state == AddressState::Down);
    for address in down {
        tracing::warn!(endpoint = status.name, address = address.address, reason = address.reason, "not reached yet");
    }
}

/// The endpoints whose contract is reflected, with their settings.
pub(crate) fn reflected(loaded: &Loaded) -> impl Iterator<Item = (String, settings::Remote)> {
    loaded.settings.endpoints.iter().filter_map(|(name, endpoint)| match endpoint {
        settings::Endpoint::Remote(remote) if remote.contract == Some(Contract::Reflection) => {
            Some((name.to_string(), remote.clone()))
        }
        _ => None,
    })
}

/// How servers given with `contract add` are reached.
pub(crate) fn template(settings: &settings::Settings) -> RemoteSettings {
    RemoteSettings {
        addresses: Vec::new(),
        tls: None,
        server_name: None,
        connections_per_address: 1,
        connect_timeout: CONNECT_TIMEOUT,
        metadata_bytes: settings.limits.metadata_bytes,
        resolver: Arc::new(Names),
        resolve_every: RESOLVE_EVERY,
        health_service: None,
        outlier: OutlierSettings::default(),
    }
}

/// What holds around endpoints that are not in the settings.
pub(crate) fn nothing_declared(settings: &settings::Settings) -> Declared {
    Declared { channels: settings.channels.resolved(), ..Declared::nothing(Arc::new(Wall)) }
}

fn remote_endpoint(loaded: &Loaded, name: &str, remote: &settings::Remote, declared: Declared) -> Result<Endpoint, Failure> {
    let secure = remote.addresses.iter().any(settings::Address::is_https);
    let tls = match secure {
        true => Some(tls::client(&remote.tls).map_err(|error| Failure::new(Code::TLS_UNUSABLE, error))?),
        false => None,
    };
    let settings = RemoteSettings {
        addresses: remote.addresses.iter().map(ToString::to_string).collect(),
        tls,
        server_name: remote.tls.server_name.clone(),
        connections_per_address: remote.connections as usize,
        connect_timeout: remote.connect_timeout(),
        metadata_bytes: loaded.settings.limits.metadata_bytes,
        resolver: Arc::new(Names),
        resolve_every: Duration::from_millis(remote.resolve_ms),
        health_service: remote.health_check.as_ref().map(|check| check.service.clone()),
        outlier: remote.outlier.resolved(),
    };
    let opened = Remote::open(name, &settings);
    opened.map(|remote| Endpoint::remote(remote, declared)).map_err(|error| {
        let problem = loaded.refused(&format!("endpoints.{name}.addresses"), error.to_string());
        Failure::new(Code::SETTINGS_REFUSED, problem.to_string())
    })
}
