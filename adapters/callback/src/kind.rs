//! The kind `callback`: opens a desk from an integrator's file.

use std::sync::Arc;

use passerelle_adapter::{Adapter, ContractSource, Descriptor, Kind, Maturity, OpenError, Opening, async_trait};
use passerelle_proto::backoffice::callback::FILES;

use crate::adapter::DeskAdapter;
use crate::file::File;

const NAME: &str = "callback";

/// Calls placed to customers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Callback;

#[async_trait]
impl Kind for Callback {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "customers called back by advisers, each with a desk that shows the call and its context"
    }

    fn maturity(&self) -> Maturity {
        Maturity::Alpha
    }

    fn settings_schema(&self) -> serde_json::Value {
        schemars::schema_for!(File).to_value()
    }

    async fn open(&self, opening: Opening) -> Result<Arc<dyn Adapter>, OpenError> {
        let file = File::parse(&opening.path, &opening.text)?;
        Ok(Arc::new(DeskAdapter::new(descriptor(), opening.endpoint, file.limits)))
    }
}

fn descriptor() -> Descriptor {
    Descriptor {
        kind: NAME,
        contracts: vec![ContractSource::built_in("passerelle.backoffice.callback.v1", &FILES)],
        idempotent: Vec::new(),
        behind: vec!["desk".to_owned()],
    }
}
