//! Stores of documents to hold the laws against.

use std::path::Path;
use std::sync::Arc;

use adapter_documents::Documents;
use passerelle_adapter::{Adapter, Kind, Opening, Secret, SecretError, SecretRef, Secrets};
use passerelle_peers::Webdav;
use passerelle_peers::webdav::{PASSWORD, USER};
use tempfile::TempDir;

/// The largest document, in bytes: a law stores one that is larger.
const LIMIT: u64 = 24 << 20;

/// An open store, and where its files are.
pub(crate) struct Place {
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) folder: TempDir,
}

struct Known;

impl Secrets for Known {
    fn find(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        match reference {
            SecretRef::Env(name) if name == "USER" => Ok(Secret::new(USER)),
            SecretRef::Env(name) if name == "PASSWORD" => Ok(Secret::new(PASSWORD)),
            SecretRef::Env(name) if name == "WRONG" => Ok(Secret::new("not-the-password")),
            _ => Err(SecretError("there is no such secret".to_owned())),
        }
    }
}

/// A folder of this machine.
pub(crate) async fn folder() -> Place {
    folder_in(tempfile::tempdir().expect("a temporary folder")).await
}

/// A folder that was used before.
pub(crate) async fn folder_in(folder: TempDir) -> Place {
    let adapter = open(folder.path(), "driver: folder\nfolder: { path: documents }\n").await.expect("it opens");
    Place { adapter, folder }
}

/// A WebDAV server.
pub(crate) async fn webdav(server: &Webdav) -> Place {
    let credentials = "credentials: { user: \"${env:USER}\", password: \"${env:PASSWORD}\" }";
    let text = format!("driver: webdav\nwebdav: {{ url: \"http://{}/\", {credentials} }}\n", server.address());
    let folder = tempfile::tempdir().expect("a temporary folder");
    Place { adapter: open(folder.path(), &text).await.expect("it opens"), folder }
}

/// Opens what an integrator would have written.
pub(crate) async fn open(folder: &Path, text: &str) -> Result<Arc<dyn Adapter>, String> {
    let opening = Opening {
        endpoint: "ged".to_owned(),
        path: folder.join("documents.yaml"),
        text: format!("adapter: documents\nlimits: {{ document_bytes: {LIMIT} }}\n{text}"),
        secrets: Arc::new(Known),
    };
    Documents.open(opening).await.map_err(|error| error.to_string())
}
