//! The adapter: it carries no call, it receives.

use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::{Adapter, Call, ContractSource, Descriptor, Fault, Health, Messages, Receiving, async_trait};
use passerelle_proto::backoffice::files::FILES;

use crate::folder::Folder;
use crate::kind::NAME;
use crate::receiving::Incoming;

/// A drop folder as an adapter.
pub(crate) struct FilesAdapter {
    descriptor: Descriptor,
    folder: Arc<Folder>,
}

impl FilesAdapter {
    pub(crate) fn new(folder: Folder) -> Self {
        let descriptor = Descriptor {
            kind: NAME,
            contracts: vec![ContractSource::built_in("passerelle.backoffice.files.v1", &FILES)],
            idempotent: Vec::new(),
            behind: vec![format!("folder {}", folder.incoming.display())],
        };
        Self { descriptor, folder: Arc::new(folder) }
    }
}

#[async_trait]
impl Adapter for FilesAdapter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn call(&self, _: Call) -> Result<Messages, Fault> {
        Err(Fault::Unimplemented { message: "a drop folder has no methods: its files come in by themselves".to_owned() })
    }

    fn receives(&self) -> bool {
        true
    }

    async fn receive(&self) -> Result<Box<dyn Receiving>, Fault> {
        Ok(Box::new(Incoming::new(self.folder.clone())))
    }

    async fn health(&self) -> Health {
        match tokio::fs::read_dir(&self.folder.incoming).await {
            Ok(_) => Health::Ready,
            Err(error) => Health::Down { reason: format!("the folder cannot be read: {error}") },
        }
    }

    async fn drain(&self, _: Duration) {}
}
