//! TLS to a host: whom we trust, and who we are.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::copybooks::beside;
use crate::file::Tls as Settings;

/// Wraps connections to one host.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
    /// The name in the host's certificate, where it is not the address's.
    server_name: Option<String>,
}

impl Tls {
    /// Reads the certificates; relative names are relative to the folder of `path`, the integrator's file.
    pub(crate) fn load(path: &Path, settings: &Settings) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for authority in certificates(&beside(path, &settings.ca))? {
            roots.add(authority).map_err(|error| format!("tls.ca: {error}"))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| format!("tls: {error}"))?.with_root_certificates(roots);
        let config = match (&settings.certificate, &settings.key) {
            (Some(certificate), Some(key)) => {
                let key = beside(path, key);
                let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| format!("tls.key: {}: {error}", key.display()))?;
                let chain = certificates(&beside(path, certificate))?;
                config.with_client_auth_cert(chain, key).map_err(|error| format!("tls.certificate: {error}"))?
            }
            (None, None) => config.with_no_client_auth(),
            _ => return Err("tls.certificate and tls.key belong together".into()),
        };
        Ok(Self { connector: Arc::new(config).into(), server_name: settings.server_name.clone() })
    }

    /// Shakes hands over a fresh connection to `address` (`name:port`).
    pub(super) async fn wrap(&self, address: &str, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let of_address = || address.rsplit_once(':').map_or(address, |(name, _)| name).to_owned();
        let name = self.server_name.clone().unwrap_or_else(of_address);
        let name = ServerName::try_from(name).map_err(std::io::Error::other)?;
        self.connector.connect(name, stream).await
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Tls")
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let cannot = |error: &dyn std::fmt::Display| format!("tls: {}: {error}", path.display());
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(|error| cannot(&error))?.collect();
    match found.map_err(|error| cannot(&error))? {
        none if none.is_empty() => Err(cannot(&"it holds no certificate in PEM")),
        found => Ok(found),
    }
}
