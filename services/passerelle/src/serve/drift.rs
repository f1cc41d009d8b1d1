//! Looks at what back offices tell by reflection each time they are connected to anew, and raises an alarm when it is not what is
//! registered. What is served stays as it is: only an operator changes it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use passerelle_bus::call::{AddressState, Endpoint};
use passerelle_bus::contract::{Image, Registry, Seen, Source};
use tokio::task::{AbortHandle, JoinSet};

use super::contracts;
use super::routes::Routes;
use crate::settings::Remote;

/// Watches the servers of all reflected contracts.
pub(crate) struct DriftWatch {
    registry: Arc<Registry>,
    routes: Arc<Routes>,
    /// Endpoints of the settings, which say how they are reached.
    declared: BTreeMap<String, Remote>,
}

/// A contract and the endpoint whose server told it.
struct Watched {
    contract: String,
    endpoint: Arc<Endpoint>,
}

impl DriftWatch {
    pub(crate) fn new(registry: Arc<Registry>, routes: Arc<Routes>, declared: BTreeMap<String, Remote>) -> Arc<Self> {
        Arc::new(Self { registry, routes, declared })
    }

    /// Watches whatever is registered, until dropped with its task.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut rebuilt = self.routes.rebuilt();
        let mut tasks = JoinSet::new();
        let mut followed: HashMap<String, AbortHandle> = HashMap::new();
        loop {
            rebuilt.mark_unchanged();
            let wanted = self.reflected();
            followed.retain(|id, task| {
                let stays = wanted.contains_key(id);
                if !stays {
                    task.abort();
                }
                stays
            });
            for (id, watched) in wanted {
                followed.entry(id).or_insert_with(|| tasks.spawn(self.clone().follow(watched)));
            }
            while tasks.try_join_next().is_some() {}
            if rebuilt.changed().await.is_err() {
                return;
            }
        }
    }

    /// The routed contracts that came by reflection, by name and version.
    fn reflected(&self) -> HashMap<String, Watched> {
        let snapshot = self.registry.snapshot();
        let mut endpoints = HashMap::new();
        for (endpoint, served) in self.routes.endpoints() {
            endpoints.extend(served.into_iter().map(|id| (id, endpoint.clone())));
        }
        let reflected = snapshot.newest().filter(|contract| matches!(contract.source, Source::Reflection(_)));
        let watched = reflected.filter_map(|contract| {
            let endpoint = endpoints.get(&contract.id())?.clone();
            Some((contract.id(), Watched { contract: contract.name.clone(), endpoint }))
        });
        watched.collect()
    }

    async fn follow(self: Arc<Self>, watched: Watched) {
        let Some(mut connections) = watched.endpoint.connections() else { return };
        loop {
            connections.mark_unchanged();
            self.look(&watched).await;
            if connections.changed().await.is_err() {
                return;
            }
        }
    }

    /// Asks every server that is connected: one that was upgraded before the others is seen.
    async fn look(&self, watched: &Watched) {
        let status = watched.endpoint.status().await;
        let declared = self.declared.get(&status.name);
        let mut told = Vec::new();
        for address in status.addresses.into_iter().filter(|address| address.state == AddressState::Ready) {
            match contracts::reflected(&address.address, declared).await {
                Ok(image) => told.push((address.address, image)),
                Err(error) => {
                    let (contract, address) = (&watched.contract, &address.address);
                    tracing::debug!(contract, address, error, "a server did not tell its contract again");
                }
            }
        }
        // All of them together: were one that is right held against it alone, the alarm of another would be forgotten, and told anew.
        if !told.is_empty() {
            let told: Vec<_> = told.iter().map(|(address, image)| (address.as_str(), image)).collect();
            compare_all(&self.registry, &watched.contract, &told);
        }
    }
}

/// Raises an alarm, once, if a server says something else than is registered.
pub(crate) fn compare(registry: &Registry, contract: &str, address: &str, image: &Image) {
    compare_all(registry, contract, &[(address, image)]);
}

fn compare_all(registry: &Registry, contract: &str, told: &[(&str, &Image)]) {
    match registry.watch(contract, told, SystemTime::now()) {
        Ok(Seen::Drifted { drift, news: true }) => {
            let (address, incompatible, broken) = (&drift.address, !drift.broken.is_empty(), &drift.broken);
            tracing::warn!(contract, address, incompatible, ?broken, "a server tells another contract than is registered");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(contract, %error, "what a server tells cannot be compared"),
    }
}
