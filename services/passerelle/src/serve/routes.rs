//! Which endpoint serves which registered method: rebuilt whole at every change of the registry.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use passerelle_bus::call::{Choice, Declared, Endpoint, Gateway, Remote, RemoteSettings, Route, Table};
use passerelle_bus::contract::{Binding, Contract, Method, Registry, Snapshot};
use passerelle_bus::route::Set;
use passerelle_bus::translation::{self, Exposed, Sources};
use passerelle_proto::bus::v1;
use passerelle_services::admin::RouteFiles;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::routing::{self, Routing};
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
    /// How endpoints that come with a contract are opened.
    template: Template,
    rebuilt: watch::Sender<u64>,
    /// What decides where calls go besides their contract's endpoint.
    routing: Arc<Routing>,
    /// Methods that others serve.
    translations: Sources,
    /// Held while the table is built: who comes later builds from what is newer.
    building: Mutex<()>,
}

/// What decides about calls besides their contract's endpoint.
pub(crate) struct Ways {
    /// Where they go.
    pub(crate) routing: Arc<Routing>,
    /// Which are served by other methods.
    pub(crate) translations: Sources,
}

/// What endpoints have in common that come with a contract.
pub(crate) struct Template {
    /// How they are reached; addresses aside.
    pub(crate) reached: RemoteSettings,
    /// What holds around them.
    pub(crate) around: Declared,
}

impl Routes {
    pub(crate) fn new(
        registry: Arc<Registry>,
        gateway: Arc<Gateway>,
        health: HealthReporter,
        declared: BTreeMap<String, Arc<Endpoint>>,
        template: Template,
        ways: Ways,
    ) -> Arc<Self> {
        Arc::new(Self {
            registry,
            gateway,
            health,
            declared,
            given: Mutex::default(),
            template,
            rebuilt: watch::Sender::default(),
            routing: ways.routing,
            translations: ways.translations,
            building: Mutex::default(),
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
        let _building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = self.registry.snapshot();
        let set = self.routing.set(&snapshot);
        let mut kept = HashMap::new();
        let mut routes = Vec::new();
        for contract in snapshot.newest() {
            let Some(endpoint) = self.endpoint(contract, &mut kept) else {
                continue;
            };
            for method in contract.methods() {
                let choice = self.choice(&set, method, &snapshot, &mut kept);
                let route = self.serving(method, method, endpoint.clone()).choosing(choice);
                if route.is_ignoring() {
                    tracing::warn!(
                        method = route.method(),
                        "declared `share` or `hedge` does not hold: the contract does not say that the method only reads, with one message each way"
                    );
                }
                routes.push(route);
            }
        }
        routes.extend(self.translated(&snapshot, &mut kept));
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        self.gateway.replace(Table::new(routes));
        self.rebuilt.send_replace(snapshot.generation());
        tracing::debug!(generation = snapshot.generation(), methods = self.gateway.table().len(), "routes");
    }

    /// Routes of the methods that others serve, as far as the translations fit the contracts of this moment.
    fn translated(&self, snapshot: &Snapshot, kept: &mut Given) -> Vec<Route> {
        let set = translation::Set::compile(&self.translations, snapshot);
        for problem in &set.problems {
            tracing::warn!(code = %Code::TRANSLATIONS_REFUSED, "a translation is not used: {problem}");
        }
        let route = |exposed: &Arc<Exposed>| {
            let contract = snapshot.contract(&exposed.calls.contract, None)?;
            let endpoint = self.endpoint(contract, kept)?;
            let route = self.serving(&exposed.method, &exposed.method, endpoint.clone());
            Some(route.translated(exposed.clone(), Route::serving(&exposed.calls, endpoint)))
        };
        set.exposed.iter().filter_map(route).collect()
    }

    /// A method at an endpoint; who calls `called` is counted.
    fn serving(&self, called: &Arc<Method>, method: &Method, endpoint: Arc<Endpoint>) -> Route {
        let uses = self.registry.consumers().method(&called.path);
        Route::serving(method, endpoint).counted(uses, called.clone())
    }

    /// Where the calls of a method may go instead.
    fn choice(&self, set: &Set, method: &Arc<Method>, snapshot: &Snapshot, kept: &mut Given) -> Option<Choice> {
        let Some(rules) = set.rules(&method.path) else {
            // They waited for the method, and do not fit it.
            return set.waiting().contains_key(&method.path).then_some(Choice::Unusable);
        };
        let mut goals = Vec::new();
        for goal in rules.goals() {
            let endpoint = match &goal.endpoint {
                Some(name) => self.declared.get(name).cloned(),
                None => snapshot.contract(&goal.method.contract, None).and_then(|contract| self.endpoint(contract, kept)),
            };
            let Some(endpoint) = endpoint else {
                tracing::error!(
                    method = method.path,
                    destination = goal.method.path,
                    "a route's destination is served by nobody: the method's calls are refused"
                );
                return Some(Choice::Unusable);
            };
            goals.push(Arc::new(self.serving(method, &goal.method, endpoint)));
        }
        Some(Choice::Rules(rules.clone(), goals))
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
        let settings = RemoteSettings { addresses: addresses.to_vec(), ..self.template.reached.clone() };
        match Remote::open(&contract.name, &settings) {
            Ok(remote) => Some(Arc::new(Endpoint::remote(remote, self.template.around.clone()))),
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

/// Two phases: first all is read and compiled, then the whole table is swapped. What goes wrong, goes wrong in the first.
impl RouteFiles for Routes {
    fn list(&self) -> v1::ListRoutesResponse {
        v1::ListRoutesResponse { set: Some(self.routing.shown()), routes: self.routing.listed() }
    }

    fn reload(&self, dry_run: bool) -> Result<v1::ReloadRoutesResponse, String> {
        let prepared = self.routing.prepare(&self.registry.snapshot())?;
        let replaced = self.routing.differs(&prepared);
        if dry_run {
            return Ok(v1::ReloadRoutesResponse { set: Some(self.routing.would_be(&prepared)), replaced });
        }
        if replaced {
            self.routing.commit(prepared, "replaced");
            self.rebuild();
        } else {
            routing::count("unchanged");
        }
        Ok(v1::ReloadRoutesResponse { set: Some(self.routing.shown()), replaced })
    }

    fn roll_back(&self) -> Result<v1::RouteSet, String> {
        let former = self.routing.former(&self.registry.snapshot())?;
        self.routing.commit(former, "rolled_back");
        self.rebuild();
        Ok(self.routing.shown())
    }
}
