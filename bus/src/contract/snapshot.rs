//! What is registered at one moment, ready to be read by every call.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::error::RegistryError;
use super::version::{Contract, Method};

/// All contracts at one moment. Never changes: a change makes a new one.
#[derive(Debug, Default)]
pub struct Snapshot {
    generation: u64,
    contracts: BTreeMap<String, Vec<Arc<Contract>>>,
    methods: HashMap<String, Arc<Method>>,
}

impl Snapshot {
    /// Builds a snapshot of `contracts`: by name, versions ascending and never none.
    pub(super) fn new(generation: u64, contracts: BTreeMap<String, Vec<Arc<Contract>>>) -> Self {
        let newest = contracts.values().filter_map(|versions| versions.last());
        let methods =
            newest.flat_map(|contract| contract.methods()).map(|method| (method.path.clone(), Arc::clone(method))).collect();
        Self { generation, contracts, methods }
    }

    /// Counts the changes since the start; later snapshots have greater numbers.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// All versions of all contracts, by name, oldest version first.
    pub fn contracts(&self) -> impl Iterator<Item = &Arc<Contract>> {
        self.contracts.values().flatten()
    }

    /// The newest version of each contract, by name: those that are routed and reflected.
    pub fn newest(&self) -> impl Iterator<Item = &Arc<Contract>> {
        self.contracts.values().filter_map(|versions| versions.last())
    }

    /// One version, or the newest.
    pub fn contract(&self, name: &str, version: Option<u32>) -> Option<&Arc<Contract>> {
        let versions = self.contracts.get(name)?;
        match version {
            None => versions.last(),
            Some(version) => versions.iter().find(|contract| contract.version == version),
        }
    }

    /// As [`Self::contract`], with an error that says what there is.
    pub fn find(&self, name: &str, version: Option<u32>) -> Result<&Arc<Contract>, RegistryError> {
        self.contract(name, version).ok_or_else(|| {
            let versions = self.versions(name);
            RegistryError::Unknown {
                wanted: version.map_or_else(|| name.to_owned(), |version| format!("{name}@{version}")),
                registered: match versions {
                    [] => self.newest().map(|contract| contract.name.clone()).collect(),
                    _ => versions.iter().map(|contract| contract.id()).collect(),
                },
            }
        })
    }

    /// All versions of one contract, oldest first; none if the name is unknown.
    pub fn versions(&self, name: &str) -> &[Arc<Contract>] {
        self.contracts.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The method that a call to `path` (`/package.Service/Method`) means.
    pub fn method(&self, path: &str) -> Option<&Arc<Method>> {
        self.methods.get(path)
    }

    /// All methods that can be called, in no order.
    pub fn methods(&self) -> impl Iterator<Item = &Arc<Method>> {
        self.methods.values()
    }

    pub(super) fn by_name(&self) -> &BTreeMap<String, Vec<Arc<Contract>>> {
        &self.contracts
    }
}
