//! TLS from an adapter to the system behind it: whom we trust, and who we are. One for all drivers, so that all are configured alike.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use passerelle_adapter::beside;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
pub use tokio_rustls::client::TlsStream;

/// TLS 1.2 or 1.3. All files are PEM, relative to this one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tls")]
pub struct TlsSettings {
    /// The authorities whose certificates are trusted, no others.
    pub ca: PathBuf,
    /// The bus's own certificate, if the server asks for one.
    pub certificate: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
    /// The name in the server's certificate, where it is not that of its address.
    pub server_name: Option<String>,
}

/// Wraps connections to one server.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    server_name: Option<ServerName<'static>>,
}

impl Tls {
    /// Reads the certificates; relative names are relative to the folder of `file`, the integrator's. `key` is where the settings stand in it, for
    /// messages: `webdav.tls`. `host` is the server's name where there is one for all connections; otherwise that of the address counts.
    ///
    /// # Errors
    /// Says which setting, which file and why.
    pub fn load(file: &Path, key: &str, settings: &TlsSettings, host: Option<&str>) -> Result<Self, String> {
        let certificates = |path: &Path| certificates(&beside(file, path)).map_err(|error| format!("{key}: {error}"));
        let mut roots = RootCertStore::empty();
        for authority in certificates(&settings.ca)? {
            roots.add(authority).map_err(|error| format!("{key}.ca: {error}"))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| format!("{key}: {error}"))?.with_root_certificates(roots);
        let config = match (&settings.certificate, &settings.key) {
            (Some(certificate), Some(private)) => {
                let private = beside(file, private);
                let own = PrivateKeyDer::from_pem_file(&private)
                    .map_err(|error| format!("{key}.key: {}: {error}", private.display()))?;
                let chain = certificates(certificate)?;
                config.with_client_auth_cert(chain, own).map_err(|error| format!("{key}.certificate: {error}"))?
            }
            (None, None) => config.with_no_client_auth(),
            _ => return Err(format!("{key}.certificate and {key}.key belong together")),
        };
        let name = settings.server_name.as_deref().or(host).map(|name| ServerName::try_from(name.to_owned())).transpose();
        let server_name = name.map_err(|error| format!("{key}.server_name: {error}"))?;
        Ok(Self { connector: Arc::new(config).into(), server_name })
    }

    /// Shakes hands over a fresh connection to `address` (`name:port`).
    ///
    /// # Errors
    /// The server is not whom we trust, does not trust us, or the connection broke.
    pub async fn wrap(&self, address: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let of_address = || {
            let name = address.rsplit_once(':').map_or(address, |(name, _)| name);
            ServerName::try_from(name.to_owned()).map_err(io::Error::other)
        };
        let name = self.server_name.clone().map_or_else(of_address, Ok)?;
        self.connector.connect(name, stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls")
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let cannot = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(|error| cannot(&error))?.collect();
    match found.map_err(|error| cannot(&error))? {
        none if none.is_empty() => Err(cannot(&"it holds no certificate in PEM")),
        found => Ok(found),
    }
}
