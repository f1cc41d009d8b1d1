//! The kind `callback`: opens a desk from an integrator's file.

use std::sync::Arc;

use passerelle_adapter::{Adapter, ContractSource, Descriptor, Kind, Maturity, OpenError, Opening, ProtoFile, async_trait};
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
    let file = |(path, text): &(&str, &str)| ProtoFile { path: (*path).to_owned(), text: (*text).to_owned() };
    Descriptor {
        kind: NAME,
        contracts: vec![ContractSource {
            name: "passerelle.backoffice.callback.v1".to_owned(),
            files: FILES.iter().map(file).collect(),
        }],
        idempotent: Vec::new(),
        behind: vec!["desk".to_owned()],
    }
}
