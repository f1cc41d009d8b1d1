//! Connections over TLS: trusted, refused, mutual, and reused while sound.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use passerelle_adapter_tls::TlsSettings as Settings;
use passerelle_copybook::CodePage;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::{PoolSettings, Tls};
use crate::file::Framing;
use crate::transport::Transport;
use crate::transport::peer::{Peer, pool, request};
use crate::transport::sockets::Sockets;
use crate::transport::tcp::Tcp;

/// A folder with an authority (`ca.pem`), a certificate that it signed for `localhost` (`own.pem`, `own.key`), and a stranger's (`other.pem`).
struct Authority {
    folder: tempfile::TempDir,
    own: CertificateDer<'static>,
    key: Vec<u8>,
    root: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        let mut authority = CertificateParams::new(vec![]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let root = authority.self_signed(&authority_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let own = own.signed_by(&key, &Issuer::from_params(&authority, &authority_key)).unwrap();
        let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        write("ca.pem", root.pem());
        write("own.pem", own.pem());
        write("own.key", key.serialize_pem());
        write("other.pem", other.cert.pem());
        write("empty.pem", String::new());
        Self { own: own.der().clone(), key: key.serialize_der(), root: root.der().clone(), folder }
    }

    /// A host that answers each message with itself; with `mutual` it wants a certificate of this authority.
    async fn host(&self, mutual: bool) -> Peer {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let config = if mutual { config.with_client_cert_verifier(verifier) } else { config.with_no_client_auth() };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(vec![self.own.clone()], key).unwrap()));
        Peer::start(move |_, stream| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                while let Ok(length) = stream.read_u32().await {
                    let mut body = vec![0; length as usize - 4];
                    stream.read_exact(&mut body).await.unwrap();
                    stream.write_all(&[&length.to_be_bytes(), &body[..]].concat()).await.unwrap();
                    stream.flush().await.unwrap();
                }
            }
        })
        .await
    }

    async fn ask(&self, host: &Peer, settings: Settings) -> String {
        let here = self.folder.path().join("accounts.yaml");
        let tls = match Tls::load(&here, "tls", &settings, None) {
            Ok(tls) => tls,
            Err(problem) => return problem.replace(&self.folder.path().display().to_string(), ""),
        };
        let address = host.address.replace("127.0.0.1", "localhost");
        let dialect = Tcp { framing: Framing::default(), code_page: CodePage::Ibm1047, response_limit_bytes: 1000 };
        let sockets = Sockets::start(dialect, PoolSettings { tls: Some(tls), ..pool(&[&address]) });
        for _ in 0..3 {
            if let Err(fault) = sockets.exchange(&request(b"abc")).await {
                return format!("{fault:?}").replace(&address, "HOST");
            }
        }
        sockets.drain(Duration::from_secs(1)).await;
        format!("three answers over {} connection", host.accepted())
    }
}

fn settings(ca: &str) -> Settings {
    Settings { ca: PathBuf::from(ca), certificate: None, key: None, server_name: None }
}

fn with_own(certificate: &str, key: Option<&str>) -> Settings {
    Settings { certificate: Some(Path::new(certificate).to_owned()), key: key.map(PathBuf::from), ..settings("ca.pem") }
}

#[tokio::test]
async fn only_a_host_with_a_certificate_of_the_authority_is_spoken_to() {
    let authority = Authority::new();
    let host = authority.host(false).await;
    let check = async |settings, expected: Expect| expected.assert_eq(&authority.ask(&host, settings).await);
    check(settings("ca.pem"), expect!["three answers over 1 connection"]).await;
    let misnamed = authority.ask(&host, Settings { server_name: Some("ims.bank".into()), ..settings("ca.pem") }).await;
    assert!(misnamed.contains("certificate not valid for name"), "{misnamed}");
    check(settings("nowhere.pem"), expect!["tls: /nowhere.pem: I/O error: No such file or directory (os error 2)"]).await;
    check(settings("empty.pem"), expect!["tls: /empty.pem: it holds no certificate in PEM"]).await;
    let stranger = authority.ask(&host, settings("other.pem")).await;
    assert!(stranger.contains("invalid peer certificate"), "{stranger}");
}

#[tokio::test]
async fn a_host_may_want_to_know_who_we_are() {
    let authority = Authority::new();
    let host = authority.host(true).await;
    let check = async |settings, expected: Expect| expected.assert_eq(&authority.ask(&host, settings).await);
    check(with_own("own.pem", Some("own.key")), expect!["three answers over 1 connection"]).await;
    check(with_own("own.pem", None), expect!["tls.certificate and tls.key belong together"]).await;
    check(
        with_own("own.pem", Some("nowhere.key")),
        expect!["tls.key: /nowhere.key: I/O error: No such file or directory (os error 2)"],
    )
    .await;
    let nobody = authority.ask(&host, settings("ca.pem")).await;
    assert!(nobody.contains("CertificateRequired") || nobody.contains("broke"), "{nobody}");
}
