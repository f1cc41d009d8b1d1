//! Where contracts outlive the process: the port, and a store that does not.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;

use super::version::{Binding, Contract, Override, Source};

/// Keeps contracts. Calls may block on a disk, and come from one thread at a time.
pub trait Store: Send + Sync + 'static {
    /// Everything kept, in any order. A record that is not as it was saved is an error, never left out.
    fn load(&self) -> Result<Vec<Record>, StoreError>;

    /// Keeps a record, in place of one of the same name and version. Durable on return.
    fn save(&self, record: &Record) -> Result<(), StoreError>;

    /// Forgets a record; one that is not there is forgotten already. Durable on return.
    fn remove(&self, name: &str, version: u32) -> Result<(), StoreError>;
}

/// A contract as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The contract's name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Where it came from.
    pub source: Source,
    /// When it was registered.
    pub registered_at: SystemTime,
    /// Who serves it.
    pub binding: Option<Binding>,
    /// Why an incompatible version was let in.
    pub overridden: Option<Override>,
    /// Its image, as it was handed in.
    pub image: Bytes,
}

impl From<&Contract> for Record {
    fn from(contract: &Contract) -> Self {
        Self {
            name: contract.name.clone(),
            version: contract.version,
            source: contract.source.clone(),
            registered_at: contract.registered_at,
            binding: contract.binding.clone(),
            overridden: contract.overridden.clone(),
            image: contract.image.bytes().clone(),
        }
    }
}

/// The store failed. The text names the file, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// Keeps contracts as long as the process lives.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: Mutex<BTreeMap<(String, u32), Record>>,
}

impl MemoryStore {
    fn records(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, u32), Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn load(&self) -> Result<Vec<Record>, StoreError> {
        Ok(self.records().values().cloned().collect())
    }

    fn save(&self, record: &Record) -> Result<(), StoreError> {
        self.records().insert((record.name.clone(), record.version), record.clone());
        Ok(())
    }

    fn remove(&self, name: &str, version: u32) -> Result<(), StoreError> {
        self.records().remove(&(name.to_owned(), version));
        Ok(())
    }
}
