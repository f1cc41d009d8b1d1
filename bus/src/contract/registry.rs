//! The registry: takes contracts in, gives them versions, keeps them, and publishes what is registered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::admission::{check_binding, check_clash, check_name, described, own_services, package_of};
use super::compatibility::Policy;
use super::consumers::Consumers;
use super::drift::{Drift, Drifts, Seen};
use super::error::RegistryError;
use super::gate;
use super::image::Image;
use super::snapshot::Snapshot;
use super::store::{Record, Store};
use super::version::{Binding, Contract, Override, Source};

/// Versions of all contracts together.
pub const MAX_VERSIONS: usize = 10_000;

/// A contract to register.
#[derive(Debug)]
pub struct Registration {
    /// Its name; by default the package of its services.
    pub name: Option<String>,
    /// Its descriptors.
    pub image: Image,
    /// Where they came from.
    pub source: Source,
    /// Who serves it. `None` keeps the binding of the version before.
    pub binding: Option<Binding>,
    /// The operator's reason to let it in although it breaks what earlier versions promised. Not used if it breaks nothing.
    pub override_reason: Option<String>,
    /// The time now.
    pub at: SystemTime,
}

/// What a registration did.
#[derive(Debug, Clone)]
pub struct Added {
    /// The version that holds the content.
    pub contract: Arc<Contract>,
    /// What changed.
    pub change: Change,
    /// The version that calls go to; greater than `contract.version` if the content is that of an older version.
    pub newest: u32,
}

/// What a registration changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A new version.
    Registered,
    /// The content was there already; now someone else serves it.
    Rebound,
    /// Nothing: the content was there already.
    Unchanged,
}

/// The contracts of a bus.
pub struct Registry {
    store: Arc<dyn Store>,
    policy: Policy,
    consumers: Arc<Consumers>,
    drifts: Drifts,
    current: ArcSwap<Snapshot>,
    changes: watch::Sender<u64>,
    writing: Mutex<()>,
}

impl Registry {
    /// Loads all that `store` keeps. Blocks on the store.
    ///
    /// # Errors
    /// The store's own, and [`RegistryError::Damaged`] for a kept contract that is no longer what it was: a bus that
    /// starts without a contract would refuse calls that it took before.
    pub fn open(store: Arc<dyn Store>) -> Result<Self, RegistryError> {
        let mut contracts: BTreeMap<String, Vec<Arc<Contract>>> = BTreeMap::new();
        for record in store.load()? {
            let contract = restore(record)?;
            contracts.entry(contract.name.clone()).or_default().push(Arc::new(contract));
        }
        contracts.values_mut().for_each(|versions| versions.sort_by_key(|contract| contract.version));
        let snapshot = Snapshot::new(0, contracts);
        let (changes, _) = watch::channel(0);
        Ok(Self {
            store,
            policy: Policy::default(),
            consumers: Arc::default(),
            drifts: Drifts::default(),
            current: ArcSwap::from_pointee(snapshot),
            changes,
            writing: Mutex::new(()),
        })
    }

    /// With rules of its own for new versions, in place of those for live contracts.
    pub fn judging_by(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// With counts of its own of who calls what.
    pub fn counting_by(self, consumers: Consumers) -> Self {
        Self { consumers: Arc::new(consumers), ..self }
    }

    /// Who calls what; asked when a new version is refused, and told by the call path.
    pub fn consumers(&self) -> &Arc<Consumers> {
        &self.consumers
    }

    /// What is registered now. Cheap: to be asked for at every call.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Says the generation of the snapshot after every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Registers a contract; the same content again changes nothing (except its binding). Blocks on the store.
    pub fn add(&self, registration: Registration) -> Result<Added, RegistryError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = self.snapshot();
        check_binding(registration.binding.as_ref())?;
        let services = own_services(&registration.image)?;
        let name = match &registration.name {
            Some(name) => name.clone(),
            None => package_of(&registration.image, &services)?,
        };
        check_name(&name)?;
        check_clash(&snapshot, &name, &registration.image, &services)?;
        let versions = snapshot.versions(&name);
        let digest = registration.image.digest();
        if let Some(same) = versions.iter().find(|contract| contract.digest == digest) {
            return self.rebind(&snapshot, same, registration);
        }
        if snapshot.contracts().count() >= MAX_VERSIONS {
            return Err(RegistryError::Full { limit: MAX_VERSIONS });
        }
        let overridden = self.judge(&name, &registration, versions)?;
        let version = versions.last().map_or(1, |newest| newest.version + 1);
        let inherited = versions.last().and_then(|newest| newest.binding.clone());
        let contract = Arc::new(Contract {
            services: described(&registration.image, &services, &name, version),
            name,
            version,
            digest,
            source: registration.source,
            registered_at: registration.at,
            binding: registration.binding.or(inherited),
            overridden,
            image: registration.image,
        });
        self.publish(&snapshot, Arc::clone(&contract))?;
        self.drifts.note(&contract.name, None);
        Ok(Added { newest: version, contract, change: Change::Registered })
    }

    /// Holds what servers say now, by address, against what is registered under a name, and keeps the first difference to be seen.
    /// Registers nothing.
    ///
    /// # Errors
    /// Options of a descriptor that do not decode.
    pub fn watch(&self, name: &str, told: &[(&str, &Image)], now: SystemTime) -> Result<Seen, RegistryError> {
        let snapshot = self.snapshot();
        let versions = snapshot.versions(name);
        let Some(newest) = versions.last() else { return Ok(Seen::Unknown) };
        let Some(&(address, image)) = told.iter().find(|(_, image)| image.digest() != newest.digest) else {
            self.drifts.note(name, None);
            return Ok(Seen::Same);
        };
        let broken = gate::judge((name, image), versions, &self.policy, &self.consumers)?;
        let broken: Vec<_> = broken.into_iter().flat_map(|refusal| refusal.breaches).map(|it| it.finding.to_string()).collect();
        let drift = Drift { address: address.to_owned(), seen_at: now, broken };
        let news = self.drifts.note(name, Some(drift.clone()));
        Ok(Seen::Drifted { drift, news })
    }

    /// How a contract's server differs from what is registered, when last seen.
    pub fn drift(&self, name: &str) -> Option<Drift> {
        self.drifts.of(name)
    }

    /// Refuses what breaks earlier versions, unless an operator says that it is meant.
    fn judge(
        &self,
        name: &str,
        registration: &Registration,
        versions: &[Arc<Contract>],
    ) -> Result<Option<Override>, RegistryError> {
        let Some(refusal) = gate::judge((name, &registration.image), versions, &self.policy, &self.consumers)? else {
            return Ok(None);
        };
        match &registration.override_reason {
            None => Err(RegistryError::Incompatible(Box::new(refusal))),
            Some(reason) => {
                let broken = refusal.breaches.iter().map(|breach| breach.finding.to_string()).collect();
                Ok(Some(Override { reason: reason.clone(), broken }))
            }
        }
    }

    /// Removes one version, or all of a name. Calls go to the newest that is left. Blocks on the store.
    ///
    /// A later registration may take a removed newest version's number again.
    pub fn remove(&self, name: &str, version: Option<u32>) -> Result<Vec<Arc<Contract>>, RegistryError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = self.snapshot();
        snapshot.find(name, version)?;
        let (gone, left): (Vec<_>, Vec<_>) = snapshot
            .versions(name)
            .iter()
            .cloned()
            .partition(|contract| version.is_none_or(|version| version == contract.version));
        if let Some(fixed) = gone.iter().find(|contract| !contract.source.is_kept()) {
            return Err(RegistryError::NotRemovable { id: fixed.id(), from: fixed.source.to_string() });
        }
        // Newest first: were the store to fail in between, what is left is a contract as it was before.
        for contract in gone.iter().rev() {
            self.store.remove(&contract.name, contract.version)?;
        }
        let mut contracts = snapshot.by_name().clone();
        if left.is_empty() {
            contracts.remove(name);
            self.drifts.note(name, None);
        } else {
            contracts.insert(name.to_owned(), left);
        }
        self.swap(&snapshot, contracts);
        Ok(gone)
    }

    fn rebind(&self, snapshot: &Snapshot, same: &Arc<Contract>, registration: Registration) -> Result<Added, RegistryError> {
        let newest = snapshot.versions(&same.name).last().map_or(same.version, |newest| newest.version);
        if registration.binding.is_none() || registration.binding == same.binding {
            return Ok(Added { contract: Arc::clone(same), change: Change::Unchanged, newest });
        }
        let names: Vec<_> = same.services.iter().map(|service| service.name.clone()).collect();
        let contract = Arc::new(Contract {
            name: same.name.clone(),
            version: same.version,
            digest: same.digest,
            source: same.source.clone(),
            registered_at: same.registered_at,
            binding: registration.binding,
            overridden: same.overridden.clone(),
            services: described(&same.image, &names, &same.name, same.version),
            image: same.image.clone(),
        });
        self.publish(snapshot, Arc::clone(&contract))?;
        Ok(Added { contract, change: Change::Rebound, newest })
    }

    /// Keeps `contract`, then shows it, in place of one of the same name and version.
    fn publish(&self, snapshot: &Snapshot, contract: Arc<Contract>) -> Result<(), RegistryError> {
        if contract.source.is_kept() {
            self.store.save(&Record::from(contract.as_ref()))?;
        }
        let mut contracts = snapshot.by_name().clone();
        let versions = contracts.entry(contract.name.clone()).or_default();
        versions.retain(|other| other.version != contract.version);
        versions.push(contract);
        versions.sort_by_key(|contract| contract.version);
        self.swap(snapshot, contracts);
        Ok(())
    }

    fn swap(&self, before: &Snapshot, contracts: BTreeMap<String, Vec<Arc<Contract>>>) {
        let generation = before.generation() + 1;
        self.current.store(Arc::new(Snapshot::new(generation, contracts)));
        self.changes.send_replace(generation);
    }
}

fn restore(record: Record) -> Result<Contract, RegistryError> {
    let id = format!("{}@{}", record.name, record.version);
    let image =
        Image::decode(record.image).map_err(|error| RegistryError::Damaged { id: id.clone(), reason: error.to_string() })?;
    let services = own_services(&image)?;
    Ok(Contract {
        services: described(&image, &services, &record.name, record.version),
        name: record.name,
        version: record.version,
        digest: image.digest(),
        source: record.source,
        registered_at: record.registered_at,
        binding: record.binding,
        overridden: record.overridden,
        image,
    })
}
