//! Which endpoint serves which registered method: rebuilt whole at every change of the registry.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use passerelle_bus::call::{Declared, Endpoint, Gateway, Remote, RemoteSettings, Route, Streaming, Table};
use passerelle_bus::contract::{Binding, Contract, Idempotency, Method, Registry, Snapshot};
use passerelle_bus::translation::{Exposed, Set, Sources};
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::explain::Code;

/// Endpoints that came with a contract, by the contract's name, with the addresses that they were opened for.
type Given = HashMap<String, (Vec<String>, Arc<Endpoint>)>;

/// Keeps the gateway's table in step with the registry.
pub(crate) struct Routes {
    registry: Arc<Registry>,
    gateway: Arc<Gateway>,
    health: HealthReporter,
    /// Endpoints of the settings, by name.
    declared: BTreeMap<String, Arc<Endpoint>>,
    given: Mutex<Given>,
    /// How endpoints that come with a contract are reached; addresses aside.
    template: RemoteSettings,
    rebuilt: watch::Sender<u64>,
    /// What holds around them.
    around: Declared,
    /// Methods that others serve.
    translations: Sources,
}

impl Routes {
    pub(crate) fn new(
        registry: Arc<Registry>,
        gateway: Arc<Gateway>,
        health: HealthReporter,
        declared: BTreeMap<String, Arc<Endpoint>>,
        template: RemoteSettings,
        around: Declared,
        translations: Sources,
    ) -> Arc<Self> {
        Arc::new(Self {
            registry,
            gateway,
            health,
            declared,
            given: Mutex::default(),
            template,
            around,
            translations,
            rebuilt: watch::Sender::default(),
        })
    }

    /// Rebuilds now and after every change, until dropped with its task.
    pub(crate) async fn follow(self: Arc<Self>) {
        let mut changes = self.registry.changes();
        let mut known = Vec::new();
        loop {
            changes.mark_unchanged();
            self.rebuild();
            known = self.tell_health(known).await;
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Builds the table of this moment.
    pub(crate) fn rebuild(&self) {
        let snapshot = self.registry.snapshot();
        let mut kept = HashMap::new();
        let mut routes = Vec::new();
        for contract in snapshot.newest() {
            let Some(endpoint) = self.endpoint(contract, &mut kept) else {
                continue;
            };
            routes.extend(contract.methods().map(|method| {
                let streaming = Streaming { client: method.client_streaming, server: method.server_streaming };
                let idempotent = method.idempotency != Idempotency::Unknown;
                let read_only = method.idempotency == Idempotency::NoSideEffects;
                let uses = self.registry.consumers().method(&method.path);
                let route = Route::new(&method.path, streaming, endpoint.clone()).idempotent(idempotent).read_only(read_only);
                let route = route.contract(contract.id()).counted(uses, method.clone());
                if route.is_ignoring() {
                    tracing::warn!(method = route.method(), "declared `share` or `hedge` does not hold: the contract does not say that the method only reads, with one message each way");
                }
                route
            }));
        }
        routes.extend(self.translated(&snapshot, &mut kept));
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        self.gateway.replace(Table::new(routes));
        self.rebuilt.send_replace(snapshot.generation());
        tracing::debug!(generation = snapshot.generation(), methods = self.gateway.table().len(), "routes");
    }

    /// Routes of the methods that others serve, as far as the translations fit the contracts of this moment.
    fn translated(&self, snapshot: &Snapshot, kept: &mut Given) -> Vec<Route> {
        let set = Set::compile(&self.translations, snapshot);
        for problem in &set.problems {
            tracing::warn!(code = %Code::TRANSLATIONS_REFUSED, "a translation is not used: {problem}");
        }
        let route = |exposed: &Arc<Exposed>| {
            let contract = snapshot.contract(&exposed.calls.contract, None)?;
            let endpoint = self.endpoint(contract, kept)?;
            let plain = |method: &Method| {
                let idempotent = method.idempotency != Idempotency::Unknown;
                let read_only = method.idempotency == Idempotency::NoSideEffects;
                let streaming = Streaming { client: false, server: false };
                Route::new(&method.path, streaming, endpoint.clone()).idempotent(idempotent).read_only(read_only)
            };
            let uses = self.registry.consumers().method(&exposed.method.path);
            let own = format!("{}@{}", exposed.method.contract, exposed.method.version);
            let route = plain(&exposed.method).contract(own).counted(uses, exposed.method.clone());
            Some(route.translated(exposed.clone(), plain(&exposed.calls).contract(contract.id())))
        };
        set.exposed.iter().filter_map(route).collect()
    }

    /// Changes whenever the table was built anew.
    pub(crate) fn rebuilt(&self) -> watch::Receiver<u64> {
        self.rebuilt.subscribe()
    }

    /// Every endpoint of this moment with the contracts that it serves.
    pub(crate) fn endpoints(&self) -> Vec<(Arc<Endpoint>, Vec<String>)> {
        let snapshot = self.registry.snapshot();
        let opened = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let serves =
            |wanted: &dyn Fn(&Contract) -> bool| snapshot.newest().filter(|contract| wanted(contract)).map(|c| c.id()).collect();
        let declared = self.declared.iter().map(|(name, endpoint)| {
            (endpoint.clone(), serves(&|contract| contract.binding == Some(Binding::Endpoint(name.clone()))))
        });
        let given = opened.iter().map(|(name, (_, endpoint))| (endpoint.clone(), serves(&|contract| contract.name == *name)));
        let mut all: Vec<_> = declared.chain(given).collect();
        all.sort_by(|(one, _), (other, _)| one.name().cmp(other.name()));
        all
    }

    fn endpoint(&self, contract: &Contract, kept: &mut Given) -> Option<Arc<Endpoint>> {
        match contract.binding.as_ref()? {
            Binding::Endpoint(name) => {
                let endpoint = self.declared.get(name).cloned();
                if endpoint.is_none() {
                    tracing::warn!(contract = contract.id(), endpoint = name, "the contract's endpoint is not in the settings");
                }
                endpoint
            }
            Binding::Addresses(addresses) => {
                let endpoint = self.connected(contract, addresses)?;
                kept.insert(contract.name.clone(), (addresses.clone(), endpoint.clone()));
                Some(endpoint)
            }
        }
    }

    /// The endpoint of these addresses, with its connections if they are open already.
    fn connected(&self, contract: &Contract, addresses: &[String]) -> Option<Arc<Endpoint>> {
        let opened = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((same, endpoint)) = opened.get(&contract.name)
            && same == addresses
        {
            return Some(endpoint.clone());
        }
        let settings = RemoteSettings { addresses: addresses.to_vec(), ..self.template.clone() };
        match Remote::open(&contract.name, &settings) {
            Ok(remote) => Some(Arc::new(Endpoint::remote(remote, self.around.clone()))),
            Err(error) => {
                tracing::warn!(contract = contract.id(), %error, "the contract's endpoint cannot be used");
                None
            }
        }
    }

    /// Clients that check the health of a service by its name find those that are routed.
    async fn tell_health(&self, known: Vec<String>) -> Vec<String> {
        let snapshot = self.registry.snapshot();
        let services: Vec<String> =
            snapshot.newest().flat_map(|contract| &contract.services).map(|service| service.name.clone()).collect();
        for service in &services {
            self.health.set_service_status(service, ServingStatus::Serving).await;
        }
        for gone in known.iter().filter(|service| !services.contains(service)) {
            self.health.clone().clear_service_status(gone).await;
        }
        services
    }
}
