//! The kind `files`: opens a drop folder from an integrator's file.

use std::sync::Arc;

use passerelle_adapter::{Adapter, Kind, Maturity, OpenError, Opening, async_trait, beside};

use crate::adapter::FilesAdapter;
use crate::file::File;
use crate::folder::Folder;

pub(crate) const NAME: &str = "files";

/// Files that come in through a folder.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files;

#[async_trait]
impl Kind for Files {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "files that others put into a folder, each one a record of the journal"
    }

    fn maturity(&self) -> Maturity {
        Maturity::Alpha
    }

    fn settings_schema(&self) -> serde_json::Value {
        schemars::schema_for!(File).to_value()
    }

    async fn open(&self, opening: Opening) -> Result<Arc<dyn Adapter>, OpenError> {
        let file = File::parse(&opening.path, &opening.text)?;
        let folder = Folder {
            endpoint: opening.endpoint,
            incoming: beside(&opening.path, &file.folder),
            taken: file.taken.as_deref().map(|taken| beside(&opening.path, taken)),
            aside: beside(&opening.path, &file.aside),
            look_every: file.look_every(),
        };
        Ok(Arc::new(FilesAdapter::new(folder)))
    }
}
