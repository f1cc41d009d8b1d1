//! The adapter table: every adapter built into this binary, one row each.

use std::sync::Arc;

use passerelle_adapter::{Adapter, Kind, Opening};

use crate::explain::Code;
use crate::failure::Failure;
use crate::settings::{AdapterFile, EndpointName, Loaded, ProcessSecrets};

/// The kinds of adapter, by name. A row is a folder `adapters/<name>` and a crate `adapter-<name>`.
pub fn table() -> Vec<Arc<dyn Kind>> {
    vec![
        Arc::new(adapter_callback::Callback),
        Arc::new(adapter_crm::Crm),
        Arc::new(adapter_documents::Documents),
        Arc::new(adapter_files::Files),
        Arc::new(adapter_mainframe::Mainframe),
        Arc::new(adapter_remote::Remote),
    ]
}

/// The kind of that name.
pub fn kind(name: &str) -> Result<Arc<dyn Kind>, Failure> {
    table().into_iter().find(|kind| kind.name() == name).ok_or_else(|| Failure::new(Code::ADAPTER_UNKNOWN, unknown(name)))
}

/// Opens the adapter of an endpoint, without needing the system behind it.
pub async fn open(loaded: &Loaded, endpoint: &EndpointName, file: &AdapterFile) -> Result<Arc<dyn Adapter>, Failure> {
    let field = |key: &str| format!("endpoints.{endpoint}.{key}");
    let Some(kind) = table().into_iter().find(|kind| kind.name() == file.adapter) else {
        let problem = loaded.refused(&field("adapter"), unknown(&file.adapter));
        return Err(Failure::new(Code::ADAPTER_UNKNOWN, problem.to_string()));
    };
    let refused = |message: String| Failure::new(Code::ADAPTER_REFUSED, message);
    let text = std::fs::read_to_string(&file.file).map_err(|error| {
        let why = format!("cannot read {}: {error}", file.file.display());
        refused(loaded.refused(&field("file"), why).to_string())
    })?;
    let opening = Opening {
        endpoint: endpoint.to_string(),
        path: file.file.clone(),
        text,
        secrets: Arc::new(ProcessSecrets::new(loaded.folder())),
    };
    kind.open(opening).await.map_err(|error| refused(error.to_string()))
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = table().iter().map(|kind| kind.name()).collect();
    format!("unknown adapter `{name}` (available: {})", names.join(", "))
}
