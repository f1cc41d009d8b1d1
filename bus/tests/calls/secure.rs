//! TLS and mutual TLS towards a back office.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use passerelle_bus::call::{Endpoint, Remote, RemoteSettings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::bus::{Bus, UNARY, nothing_declared, settings};
use super::caller::{Caller, message};
use super::office::{builder, echo};

/// An authority, and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Arc::new(roots)
    }

    fn issue(&self, name: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        (vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A back office `cards.test` that wants certificates of its callers if `clients` is given.
async fn office(authority: &Authority, clients: Option<&Authority>, protocol: &[u8]) -> SocketAddr {
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let config = match clients {
        None => config.with_no_client_auth(),
        Some(clients) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(clients.roots(), provider()).build().unwrap();
            config.with_client_cert_verifier(verifier)
        }
    };
    let (certificate, key) = authority.issue("cards.test");
    let mut config = config.with_single_cert(certificate, key).unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let Ok(mut connection) = builder().handshake::<_, Bytes>(stream).await else { return };
                while let Some(Ok((request, respond))) = connection.accept().await {
                    tokio::spawn(echo(request, respond));
                }
            });
        }
    });
    address
}

/// The outcome of a call through TLS, and what it says.
async fn call(address: SocketAddr, trusted: &Authority, identity: Option<&Authority>, length: usize) -> (i32, String) {
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(trusted.roots());
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(authority) => {
            let (certificate, key) = authority.issue("bus.test");
            config.with_client_auth_cert(certificate, key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let settings = RemoteSettings {
        addresses: vec![format!("https://{address}")],
        tls: Some(Arc::new(config)),
        server_name: Some("cards.test".to_owned()),
        ..settings(&[])
    };
    let bus = Bus::start(Endpoint::remote(Remote::open("cards", &settings).unwrap(), nothing_declared())).await;
    let answer = Caller::connect(bus.address).await.call(UNARY, message(length)).await;
    if answer.code() == 0 {
        assert!(answer.body == message(length));
    }
    (answer.code(), answer.message())
}

#[tokio::test]
async fn calls_pass_through_tls_small_and_large() {
    let authority = Authority::new();
    let address = office(&authority, None, b"h2").await;
    for length in [10, 1 << 20] {
        assert_eq!(call(address, &authority, None, length).await.0, 0);
    }
}

#[tokio::test]
async fn a_back_office_may_want_to_know_who_calls() {
    let (authority, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let address = office(&authority, Some(&clients), b"h2").await;
    assert_eq!(call(address, &authority, Some(&clients), 10).await.0, 0);
    for identity in [None, Some(&strangers)] {
        assert_eq!(call(address, &authority, identity, 10).await.0, 14);
    }
}

#[tokio::test]
async fn a_back_office_that_nobody_vouches_for_or_without_http2_is_down() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (code, text) = call(office(&authority, None, b"h2").await, &other, None, 10).await;
    assert_eq!(code, 14);
    assert!(text.contains("TLS was refused: invalid peer certificate"), "{text}");
    let (code, text) = call(office(&authority, None, b"http/1.1").await, &authority, None, 10).await;
    assert_eq!(code, 14);
    assert!(text.contains("TLS"), "{text}");
}

#[tokio::test]
async fn an_address_over_tls_needs_tls_settings() {
    let settings = RemoteSettings { addresses: vec!["https://cards.test".to_owned()], ..settings(&[]) };
    assert!(Remote::open("cards", &settings).is_err());
}
