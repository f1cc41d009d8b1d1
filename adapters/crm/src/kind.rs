//! The kind `crm`: opens a CRM from an integrator's file.

use std::sync::Arc;

use passerelle_adapter::{Adapter, ContractSource, Descriptor, Kind, Maturity, OpenError, Opening, Places, async_trait, beside};
use passerelle_proto::backoffice::customers::FILES;

use crate::adapter::{CrmAdapter, READS};
use crate::driver::Driver;
use crate::embedded::Embedded;
use crate::file::{DriverName, File};
use crate::tryton::Tryton;

const NAME: &str = "crm";
pub(crate) const CONTRACT: &str = "passerelle.backoffice.customers.v1";

/// Customers of a CRM.
#[derive(Debug, Clone, Copy, Default)]
pub struct Crm;

#[async_trait]
impl Kind for Crm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "customers of a CRM, on this machine or in a Tryton server, as one standard contract"
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
        let driver: Arc<dyn Driver> = match (file.driver, &file.embedded, &file.tryton) {
            (DriverName::Embedded, Some(settings), _) => Arc::new(Embedded::new(beside(&opening.path, &settings.path))),
            (DriverName::Tryton, _, Some(settings)) => {
                Arc::new(Tryton::new(&opening.path, settings, opening.secrets.as_ref()).map_err(refused)?)
            }
            // `File::parse` has refused it.
            _ => return Err(refused("the driver has no settings".to_owned())),
        };
        let descriptor = descriptor(driver.behind());
        Ok(Arc::new(CrmAdapter::new(descriptor, driver, Places::new(opening.endpoint, file.limits.calls))))
    }
}

fn descriptor(behind: String) -> Descriptor {
    Descriptor {
        kind: NAME,
        contracts: vec![ContractSource::built_in(CONTRACT, &FILES)],
        idempotent: READS.iter().map(|method| format!("{CONTRACT}.Customers/{method}")).collect(),
        behind: vec![behind],
    }
}
