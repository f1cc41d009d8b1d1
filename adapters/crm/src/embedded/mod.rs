//! The driver `embedded`: customers in an SQLite file of this machine. All that an effect changes is one transaction, with the change and the answer
//! under the idempotency key.

mod change;
mod schema;
mod tables;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use passerelle_adapter::{Fault, Health, async_trait};
use passerelle_proto::backoffice::customers::v1::find_request::Key as FindKey;
use passerelle_proto::backoffice::customers::v1::{
    AddInteractionRequest, AddInteractionResponse, Change, Completeness, CreateRequest, CreateResponse, Customer, DeleteRequest,
    Interaction, UpdateRequest, UpdateResponse,
};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::OnceCell;

use self::tables::Tables;
use crate::driver::{Abilities, Driver, Key, Remembered};
use crate::page::Page;

/// Customers on this machine.
pub(crate) struct Embedded {
    path: PathBuf,
    /// Opened when first used, so that a file can be checked while another process has it.
    opened: OnceCell<Arc<Mutex<Opened>>>,
}

struct Opened {
    tables: Tables,
    /// Held until dropped.
    _claim: File,
}

impl Embedded {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, opened: OnceCell::new() }
    }

    async fn opened(&self) -> Result<Arc<Mutex<Opened>>, Fault> {
        let path = self.path.clone();
        let open = move || {
            let _claim = claim(&path)?;
            Ok(Arc::new(Mutex::new(Opened { tables: Tables::open(&path)?, _claim })))
        };
        self.opened.get_or_try_init(|| blocking(open)).await.cloned()
    }

    /// Asks the tables, off the threads that carry calls. Goes on to its end, even if nobody waits any more.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Tables) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let opened = self.opened().await?;
        blocking(move || question(&mut opened.lock().unwrap_or_else(PoisonError::into_inner).tables)).await
    }
}

#[async_trait]
impl Driver for Embedded {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn behind(&self) -> String {
        format!("file {}", self.path.display())
    }

    async fn abilities(&self) -> Result<Abilities, Fault> {
        self.opened().await?;
        Ok(Abilities { product: String::new(), preconditions: true, deletes: true, changes: Completeness::Exact })
    }

    async fn remembered(&self, digest: &str) -> Result<Remembered, Fault> {
        let digest = digest.to_owned();
        self.ask(move |tables| tables.remembered(&digest)).await
    }

    async fn find(&self, key: FindKey, page: Page) -> Result<Vec<Customer>, Fault> {
        self.ask(move |tables| tables.find(&key, &page)).await
    }

    async fn get(&self, id: &str) -> Result<Customer, Fault> {
        let id = id.to_owned();
        self.ask(move |tables| tables.get(&id)).await
    }

    async fn create(&self, request: CreateRequest, key: Option<Key>) -> Result<CreateResponse, Fault> {
        let version = random()?;
        self.ask(move |tables| tables.create(request, version, key.as_ref())).await
    }

    async fn update(&self, request: UpdateRequest, key: Option<Key>) -> Result<UpdateResponse, Fault> {
        let version = random()?;
        self.ask(move |tables| tables.update(request, version, key.as_ref())).await
    }

    async fn delete(&self, request: DeleteRequest, key: Option<Key>) -> Result<(), Fault> {
        self.ask(move |tables| tables.delete(&request, key.as_ref())).await
    }

    async fn add_interaction(&self, request: AddInteractionRequest, key: Option<Key>) -> Result<AddInteractionResponse, Fault> {
        self.ask(move |tables| tables.add_interaction(&request, key.as_ref())).await
    }

    async fn interactions(&self, customer: &str, page: Page) -> Result<Vec<Interaction>, Fault> {
        let customer = customer.to_owned();
        self.ask(move |tables| tables.interactions(&customer, &page)).await
    }

    async fn changes(&self, cursor: Option<String>, size: usize) -> Result<(Vec<Change>, String), Fault> {
        self.ask(move |tables| tables.changes(cursor.as_deref(), size)).await
    }

    async fn health(&self) -> Health {
        match self.opened().await {
            Ok(_) => Health::Ready,
            Err(fault) => Health::Down { reason: fault.to_string() },
        }
    }
}

/// The file belongs to one running adapter.
fn claim(path: &Path) -> Result<File, Fault> {
    let cannot = |what: &str, error: &dyn std::fmt::Display| failed(&format!("{}: {what}", path.display()), error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| cannot("its folder cannot be made", &error))?;
    }
    let lock = path.with_added_extension("lock");
    let claim = File::options().create(true).truncate(false).write(true).open(lock);
    let claim = claim.map_err(|error| cannot("it cannot be claimed", &error))?;
    claim.try_lock().map_err(|error| cannot("another running adapter has it", &error))?;
    Ok(claim)
}

/// Work that waits for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(Fault::unknown("the work on the file broke off")),
    }
}

/// A version that is never given twice.
fn random() -> Result<String, Fault> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Fault::unavailable("the system has no random numbers"))?;
    Ok(HEXLOWER.encode(&bytes))
}

/// The disk refused; nothing has happened that anybody sees.
fn failed(what: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable(format!("{what}: {error}"))
}
