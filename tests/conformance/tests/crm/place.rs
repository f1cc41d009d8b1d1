//! CRMs to hold the laws against.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use adapter_crm::Crm;
use passerelle_adapter::{Adapter, Kind, Opening, Secret, SecretError, SecretRef, Secrets};
use passerelle_peers::Tryton;
use passerelle_peers::tryton::{DATABASE, PASSWORD, USER};
use tempfile::TempDir;

/// An open CRM, and where its file is.
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

/// An SQLite file of this machine.
pub(crate) async fn embedded() -> Place {
    embedded_in(tempfile::tempdir().expect("a temporary folder")).await
}

/// A file that was used before.
pub(crate) async fn embedded_in(folder: TempDir) -> Place {
    let adapter = open(folder.path(), "driver: embedded\nembedded: { path: crm.sqlite }\n").await.expect("it opens");
    Place { adapter, folder }
}

/// A Tryton server.
pub(crate) async fn tryton(server: &Tryton) -> Arc<dyn Adapter> {
    tryton_at(server.address(), "PASSWORD", 30_000).await
}

/// What is at an address, with a secret as the password.
pub(crate) async fn tryton_at(address: SocketAddr, password: &str, answer_timeout_ms: u32) -> Arc<dyn Adapter> {
    let credentials = format!("credentials: {{ user: \"${{env:USER}}\", password: \"${{env:{password}}}\" }}");
    let times = format!("settle_ms: 500, answer_timeout_ms: {answer_timeout_ms}");
    let text =
        format!("driver: tryton\ntryton: {{ url: \"http://{address}/\", database: {DATABASE}, {times}, {credentials} }}\n");
    open(Path::new(""), &text).await.expect("it opens")
}

/// Opens what an integrator would have written.
pub(crate) async fn open(folder: &Path, text: &str) -> Result<Arc<dyn Adapter>, String> {
    let opening = Opening {
        endpoint: "crm".to_owned(),
        path: folder.join("crm.yaml"),
        text: format!("adapter: crm\n{text}"),
        secrets: Arc::new(Known),
    };
    Crm.open(opening).await.map_err(|error| error.to_string())
}
