//! TLS to a server: whom we trust, and who we are.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::file::Tls as Settings;
use crate::kind::beside;

/// Wraps connections to one server.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    server_name: ServerName<'static>,
}

impl Tls {
    /// Reads the certificates; relative names are relative to the folder of `path`, the integrator's file. `host` is the URL's.
    pub(super) fn load(path: &Path, settings: &Settings, host: &str) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for authority in certificates(&beside(path, &settings.ca))? {
            roots.add(authority).map_err(|error| format!("tryton.tls.ca: {error}"))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| format!("tryton.tls: {error}"))?.with_root_certificates(roots);
        let config = match (&settings.certificate, &settings.key) {
            (Some(certificate), Some(key)) => {
                let key = beside(path, key);
                let key =
                    PrivateKeyDer::from_pem_file(&key).map_err(|error| format!("tryton.tls.key: {}: {error}", key.display()))?;
                let chain = certificates(&beside(path, certificate))?;
                config.with_client_auth_cert(chain, key).map_err(|error| format!("tryton.tls.certificate: {error}"))?
            }
            (None, None) => config.with_no_client_auth(),
            _ => return Err("tryton.tls.certificate and tryton.tls.key belong together".into()),
        };
        let name = settings.server_name.as_deref().unwrap_or(host).to_owned();
        let server_name = ServerName::try_from(name).map_err(|error| format!("tryton.tls.server_name: {error}"))?;
        Ok(Self { connector: Arc::new(config).into(), server_name })
    }

    /// Shakes hands over a fresh connection.
    pub(super) async fn wrap(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.server_name.clone(), stream).await
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let cannot = |error: &dyn std::fmt::Display| format!("tryton.tls: {}: {error}", path.display());
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(|error| cannot(&error))?.collect();
    match found.map_err(|error| cannot(&error))? {
        none if none.is_empty() => Err(cannot(&"it holds no certificate in PEM")),
        found => Ok(found),
    }
}
