//! The kind `remote`: begins to look for an adapter process, which need not be there yet.

use std::sync::Arc;

use passerelle_adapter::{Adapter, Kind, Maturity, OpenError, Opening, async_trait};

use crate::adapter::RemoteAdapter;
use crate::file::File;
use crate::link::Link;

pub(crate) const NAME: &str = "remote";

/// Adapters in processes of their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Remote;

#[async_trait]
impl Kind for Remote {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "an adapter in a process of its own, in any language, behind passerelle.adapter.v1"
    }

    fn maturity(&self) -> Maturity {
        Maturity::Alpha
    }

    fn settings_schema(&self) -> serde_json::Value {
        schemars::schema_for!(File).to_value()
    }

    async fn open(&self, opening: Opening) -> Result<Arc<dyn Adapter>, OpenError> {
        let (file, place) = File::parse(&opening.path, &opening.text)?;
        let settings = serde_json::Value::Object(file.settings.clone()).to_string();
        let link = Link::new(opening.endpoint, settings, place, &opening.path, file.timeouts)
            .map_err(|error| OpenError(format!("{}: {error}", opening.path.display())))?;
        Ok(Arc::new(RemoteAdapter::begin(link)))
    }
}
