//! TLS and mutual TLS on both sides: a channel to a daemon, that daemon to another one, and a client that knows no Passerelle.

use std::process::{Command, Stdio};

use passerelle_peers::Run;
use passerelle_peers::python::Disputes;
use passerelle_system::{Daemon, World};
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};

const LOOK: &str = "bank.disputes.v1.CardDisputes/Look";
const LISTEN_TLS: &str = "tls: { certificate: server.pem, key: server.key, client_ca: ca.pem }\n";

/// An authority, a server's certificate for 127.0.0.1 and a client's, as PEM files of a world.
struct Certificates {
    files: Vec<(&'static str, String)>,
}

impl Certificates {
    fn new() -> Self {
        let mut authority = parameters("the bank's authority", vec![]);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = authority.self_signed(&key).unwrap();
        let issuer = Issuer::new(authority, key);
        let mut files = vec![("ca.pem", certificate.pem())];
        for (name, certificate_file, key_file) in [("127.0.0.1", "server.pem", "server.key"), ("web", "client.pem", "client.key")]
        {
            let (certificate, key) = signed(name, &issuer);
            files.extend([(certificate_file, certificate.pem()), (key_file, key.serialize_pem())]);
        }
        Self { files }
    }

    fn world(&self) -> World {
        self.files.iter().fold(World::default(), |world, (name, text)| world.file(name, text))
    }
}

fn signed(name: &str, issuer: &Issuer<'_, KeyPair>) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let certificate = parameters(name, vec![name.to_owned()]).signed_by(&key, issuer).unwrap();
    (certificate, key)
}

fn parameters(name: &str, alternatives: Vec<String>) -> CertificateParams {
    let mut parameters = CertificateParams::new(alternatives).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

/// The inner daemon speaks plain gRPC to the disputes; the outer one reaches it with a certificate of its own.
fn two_daemons(certificates: &Certificates, disputes: &Disputes) -> (Daemon, Daemon) {
    let contract = "contract: { proto: [disputes.proto] }";
    let world = || certificates.world().copy(&Disputes::contract(), "disputes.proto");
    let inner = world()
        .settings(&format!(
            "{LISTEN_TLS}endpoints:\n  disputes: {{ addresses: [\"http://{}\"], {contract} }}\n",
            disputes.address()
        ))
        .serve();
    let outer = world()
        .settings(&format!(
            "{LISTEN_TLS}endpoints:\n  inner:\n    addresses: [\"https://{}\"]\n    \
             tls: {{ ca: ca.pem, certificate: client.pem, key: client.key }}\n    {contract}\n",
            inner.channels
        ))
        .serve();
    (inner, outer)
}

#[test]
fn a_call_crosses_two_daemons_by_mutual_tls() {
    let Some(disputes) = Disputes::start() else { return };
    let certificates = Certificates::new();
    let (inner, outer) = two_daemons(&certificates, &disputes);
    let caller = certificates.world();
    let call = |arguments: &[&str]| -> Run {
        let address = format!("https://{}", outer.channels);
        let first = ["call", LOOK, "--address", &address, "--json", r#"{"answerBytes": 3}"#, "--ca", "ca.pem"];
        caller.run(&[&first, arguments].concat())
    };
    let answered = call(&["--cert", "client.pem", "--key", "client.key"]);
    assert!(answered.status.success(), "{answered:?}");
    let refused = call(&[]);
    assert!(!refused.status.success(), "without a certificate of its own a caller must not get in: {refused:?}");
    drop(inner);
}

#[test]
fn another_tls_client_finds_http2_and_a_valid_chain() {
    let certificates = Certificates::new();
    let daemon = certificates.world().settings(LISTEN_TLS).serve();
    let caller = certificates.world();
    let at = daemon.channels.to_string();
    let mut openssl = Command::new("openssl");
    openssl.args(["s_client", "-connect", &at, "-alpn", "h2", "-verify_return_error", "-verify_ip", "127.0.0.1"]);
    openssl.arg("-CAfile").arg(caller.path("ca.pem")).arg("-cert").arg(caller.path("client.pem"));
    let run = Run::of(openssl.arg("-key").arg(caller.path("client.key")).stdin(Stdio::null()));
    assert!(run.stdout.contains("Verify return code: 0 (ok)"), "{run:?}");
    assert!(run.stdout.contains("ALPN protocol: h2"), "{run:?}");
}

#[test]
fn a_server_of_an_unknown_authority_is_not_trusted() {
    let Some(disputes) = Disputes::start() else { return };
    let certificates = Certificates::new();
    let (inner, _outer) = two_daemons(&certificates, &disputes);
    let stranger = Certificates::new()
        .world()
        .copy(&Disputes::contract(), "disputes.proto")
        .settings(&format!(
            "endpoints:\n  inner: {{ addresses: [\"https://{}\"], tls: {{ ca: ca.pem }}, contract: {{ proto: [disputes.proto] }} }}\n",
            inner.channels
        ))
        .serve();
    let caller = World::default();
    let run = caller.run(&["call", LOOK, "--address", &format!("http://{}", stranger.channels), "--json", "{}"]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(run.stderr.contains("UNAVAILABLE") && run.stderr.contains("TLS"), "{run:?}");
}
