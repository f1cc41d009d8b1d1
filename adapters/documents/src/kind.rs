//! The kind `documents`: opens a store of documents from an integrator's file.

use std::sync::Arc;

use passerelle_adapter::{Adapter, ContractSource, Descriptor, Kind, Maturity, OpenError, Opening, async_trait, beside};
use passerelle_proto::backoffice::documents::FILES;

use crate::adapter::{DocumentsAdapter, READS};
use crate::driver::Driver;
use crate::file::{DriverName, File};
use crate::folder::Folder;
use crate::webdav::Webdav;

const NAME: &str = "documents";
pub(crate) const CONTRACT: &str = "passerelle.backoffice.documents.v1";

/// Stores of documents.
#[derive(Debug, Clone, Copy, Default)]
pub struct Documents;

#[async_trait]
impl Kind for Documents {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "documents in a folder of this machine or on a WebDAV server, as one standard contract"
    }

    fn maturity(&self) -> Maturity {
        Maturity::Alpha
    }

    fn settings_schema(&self) -> serde_json::Value {
        schemars::schema_for!(File).to_value()
    }

    async fn open(&self, opening: Opening) -> Result<Arc<dyn Adapter>, OpenError> {
        let file = File::parse(&opening.path, &opening.text)?;
        let refused = |message: String| OpenError(format!("{}: {message}", opening.path.display()));
        let driver: Arc<dyn Driver> = match (file.driver, &file.folder, &file.webdav) {
            (DriverName::Folder, Some(settings), _) => {
                Arc::new(Folder::new(beside(&opening.path, &settings.path), settings.clone()))
            }
            (DriverName::Webdav, _, Some(settings)) => {
                Arc::new(Webdav::new(&opening.path, settings, opening.secrets.as_ref()).map_err(refused)?)
            }
            // `File::parse` has refused it.
            _ => return Err(refused("the driver has no settings".to_owned())),
        };
        let descriptor = descriptor(driver.behind());
        Ok(Arc::new(DocumentsAdapter::new(descriptor, opening.endpoint, driver, file.limits)))
    }
}

fn descriptor(behind: String) -> Descriptor {
    Descriptor {
        kind: NAME,
        contracts: vec![ContractSource::built_in(CONTRACT, &FILES)],
        idempotent: READS.iter().map(|method| format!("{CONTRACT}.Documents/{method}")).collect(),
        behind: vec![behind],
    }
}
