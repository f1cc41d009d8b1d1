//! TLS out of PEM files: rustls with ring, HTTP/2 by ALPN, mutual where a CA for clients is named.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::settings::{EndpointTls, ListenerTls};

/// Certificates or keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{} holds no certificate", .0.display())]
    Empty(PathBuf),
    #[error("{} holds no private key that can be used; an encrypted one cannot", .0.display())]
    NoKey(PathBuf),
    #[error("the certificate {} does not belong to the key {}", .certificate.display(), .key.display())]
    Strangers { certificate: PathBuf, key: PathBuf },
    #[error("the certificate {} cannot be used: {reason}", path.display())]
    Refused { path: PathBuf, reason: String },
    #[error("the authorities of {} cannot be used: {reason}", path.display())]
    Authorities { path: PathBuf, reason: String },
}

impl TlsError {
    fn unreadable(path: &Path, error: &pem::Error) -> Self {
        let reason = match error {
            pem::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        };
        Self::Unreadable { path: path.to_owned(), reason }
    }

    fn refused(certificate: &Path, key: &Path, error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InconsistentKeys(_) => Self::Strangers { certificate: certificate.to_owned(), key: key.to_owned() },
            other => Self::Refused { path: certificate.to_owned(), reason: other.to_string() },
        }
    }
}

/// TLS on a port of ours.
pub(crate) fn acceptor(settings: &ListenerTls) -> Result<TlsAcceptor, TlsError> {
    let refused = |error| TlsError::refused(&settings.certificate, &settings.key, &error);
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(refused)?;
    let builder = match &settings.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(path)?), provider())
                .build()
                .map_err(|error| TlsError::Authorities { path: path.clone(), reason: error.to_string() })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(certificates(&settings.certificate)?, key(&settings.key)?).map_err(refused)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// TLS towards a back office. Without a CA nothing is trusted.
pub(crate) fn client(settings: &EndpointTls) -> Result<Arc<ClientConfig>, TlsError> {
    let named = |path: &Option<PathBuf>| path.clone().unwrap_or_default();
    let refused = |error| TlsError::refused(&named(&settings.certificate), &named(&settings.key), &error);
    let roots = settings.ca.as_deref().map_or_else(|| Ok(RootCertStore::empty()), authorities)?;
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_root_certificates(roots);
    let mut config = match (&settings.certificate, &settings.key) {
        (Some(certificate), Some(private)) => {
            builder.with_client_auth_cert(certificates(certificate)?, key(private)?).map_err(refused)?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| TlsError::Authorities { path: path.to_owned(), reason: error.to_string() })?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |error| TlsError::unreadable(path, &error);
    let all: Vec<_> = CertificateDer::pem_file_iter(path).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
    if all.is_empty() { Err(TlsError::Empty(path.to_owned())) } else { Ok(all) }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey(path.to_owned()),
        error => TlsError::unreadable(path, &error),
    })
}
