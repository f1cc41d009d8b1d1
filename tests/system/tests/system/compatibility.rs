//! A contract that evolves on a running daemon: what breaks its callers is refused and told in full, what does not is let in, and a
//! back office that changes by itself raises an alarm.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use passerelle_peers::Run;
use passerelle_peers::python::Disputes;
use passerelle_system::{Daemon, World};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

/// Runs `passerelle contract` against a daemon, in a folder with a `desk.proto` of that text.
fn contract(daemon: &Daemon, text: &str, arguments: &[&str]) -> Run {
    let admin = format!("http://{}", daemon.admin);
    let world = World::default().file("desk.proto", text);
    world.run(&[&["contract", "--admin", &admin], arguments].concat())
}

fn disputes() -> String {
    std::fs::read_to_string(Disputes::contract()).unwrap()
}

/// Line (from 1) of a text.
fn line_of(text: &str, line: &str) -> usize {
    text.lines().position(|other| other.contains(line)).unwrap() + 1
}

#[test]
fn a_change_that_breaks_callers_is_refused_with_rule_line_and_consumers_and_one_that_does_not_is_let_in() {
    let Some(back_office) = Disputes::start() else { return };
    let daemon = World::default().settings("").serve();
    let address = format!("http://{}", back_office.address());
    let text = disputes();
    let added = contract(&daemon, &text, &["add", "--proto", "desk.proto", "--address", &address]);
    assert!(added.status.success(), "{added:?}");
    for channel in ["web", "web", "branch"] {
        let metadata = format!("passerelle-channel={channel}");
        let json = r#"{"cardToken": "c-1", "amountCents": 4200}"#;
        let called = World::default().run(&["call", "Open", "--address", &daemon.address(), "-m", &metadata, "--json", json]);
        assert!(called.status.success(), "{called:?}");
    }

    let broken =
        text.replacen("int64 amount_cents = 2", "string amount_cents = 2", 1).replace("  rpc Discuss", "  // rpc Discuss");
    let line = line_of(&broken, "string amount_cents = 2");
    let refused = contract(&daemon, &broken, &["add", "--proto", "desk.proto"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    for expected in [
        "bank.disputes.v1: 2 incompatible changes".to_owned(),
        format!("desk.proto:{line}:3: FIELD_WIRE_JSON_COMPATIBLE_TYPE\n"),
        "  field amount_cents (2) of bank.disputes.v1.OpenRequest: type int64, now type string\n".to_owned(),
        "  promised by version 1\n".to_owned(),
        "  used by channel web: 2 calls of /bank.disputes.v1.CardDisputes/Open, the last ".to_owned(),
        "  used by channel branch: 1 call of /bank.disputes.v1.CardDisputes/Open, the last ".to_owned(),
        "ago; the field was in 1 of 1 looked into\n".to_owned(),
        "RPC_NO_DELETE\n  method Discuss of bank.disputes.v1.CardDisputes: there, now gone\n".to_owned(),
        "what to do: leave the field as it was and add another".to_owned(),
        "P0026".to_owned(),
    ] {
        assert!(refused.stderr.contains(&expected), "{expected}\n{}", refused.stderr);
    }
    let listed = contract(&daemon, "", &["list"]);
    assert!(!listed.stdout.contains("bank.disputes.v1@2"), "{listed:?}");

    let compared = contract(&daemon, &broken, &["diff", "bank.disputes.v1", "desk.proto", "--json"]);
    assert_eq!(compared.status.code(), Some(100), "{compared:?}");
    let found: Vec<serde_json::Value> = compared.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), 2, "{compared:?}");
    let typed = found.iter().find(|it| it["type"] == "FIELD_WIRE_JSON_COMPATIBLE_TYPE").unwrap();
    assert_eq!((typed["path"].as_str(), typed["start_line"].as_u64()), (Some("desk.proto"), Some(line as u64)));
    assert_eq!((typed["used_by"][0]["channel"].as_str(), typed["used_by"][0]["calls"].as_u64()), (Some("web"), Some(2)));

    let better = text.replace("  string reason = 3;\n}", "  string reason = 3;\n  bool urgent = 4;\n}");
    let compared = contract(&daemon, &better, &["diff", "bank.disputes.v1@1", "desk.proto"]);
    assert!(compared.status.success() && compared.stdout.is_empty(), "{compared:?}");
    let added = contract(&daemon, &better, &["add", "--proto", "desk.proto"]);
    assert!(added.stdout.contains("bank.disputes.v1@2: registered"), "{added:?}");
}

#[test]
fn a_break_that_is_meant_is_let_in_with_a_reason_that_stays_visible() {
    let world = World::default().settings("compatibility: { groups: { bank: { rules: [FILE], against: all } } }\n");
    let mut daemon = world.serve();
    let text = "syntax = \"proto3\";\npackage bank.v1;\nmessage M { string name = 1; }\nservice S { rpc Do(M) returns (M); }\n";
    let added = contract(&daemon, text, &["add", "--proto", "desk.proto", "--address", "http://127.0.0.1:1"]);
    assert!(added.status.success(), "{added:?}");
    let other = text.replace("package bank.v1;", "package bank.v1;\noption java_package = \"x\";");
    let refused = contract(&daemon, &other, &["add", "--proto", "desk.proto"]);
    assert!(refused.stderr.contains("FILE_SAME_JAVA_PACKAGE"), "the group's rules hold: {refused:?}");
    let added = contract(&daemon, &other, &["add", "--proto", "desk.proto", "--override", "agreed with all teams"]);
    assert!(added.stdout.contains("bank.v1@2: registered"), "{added:?}");
    assert!(daemon.log().contains("an operator let an incompatible contract in"), "{}", daemon.log());
    daemon = daemon.restart();
    let listed = contract(&daemon, "", &["list"]);
    assert!(listed.stdout.contains("bank.v1@2 (incompatible, let in)"), "{listed:?}");
    let shown = contract(&daemon, "", &["show", "bank.v1"]);
    assert!(shown.stdout.contains("agreed with all teams") && shown.stdout.contains("FILE_SAME_JAVA_PACKAGE"), "{shown:?}");
}

/// A back office that says by reflection what `text` declares, until it is dropped.
fn reflecting(address: SocketAddr, text: &str, folder: &Path) -> (Runtime, SocketAddr) {
    let file = folder.join("desk.proto");
    std::fs::write(&file, text).unwrap();
    let files = prost::Message::encode_to_vec(&protox::compile([&file], [folder]).unwrap());
    let service = tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(&files).build_v1().unwrap();
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
    let at = listener.local_addr().unwrap();
    runtime.spawn(Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
    (runtime, at)
}

/// Lists contracts until that shows.
fn listed_with(daemon: &Daemon, expected: &str) -> String {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let listed = contract(daemon, "", &["list"]).stdout;
        if listed.contains(expected) {
            return listed;
        }
        assert!(Instant::now() < patience, "{expected} never shows: {listed}\n{}", daemon.log());
    }
}

#[test]
fn a_back_office_that_changes_by_itself_raises_an_alarm_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let text = "syntax = \"proto3\";\npackage bank.v1;\nmessage M { string name = 1; }\nservice S { rpc Do(M) returns (M); }\n";
    let (office, at) = reflecting(SocketAddr::from(([127, 0, 0, 1], 0)), text, folder.path());
    let endpoint = format!("endpoints:\n  bank: {{ addresses: [\"http://{at}\"], contract: {{ reflection: true }} }}\n");
    let daemon = World::default().settings(&endpoint).serve();
    listed_with(&daemon, "bank.v1@1 ");

    drop(office);
    let (office, _) = reflecting(at, &text.replace("string name", "int64 name"), folder.path());
    let listed = listed_with(&daemon, "bank.v1@1 (DRIFTED)");
    assert!(!listed.contains("bank.v1@2"), "{listed}");
    let shown = contract(&daemon, "", &["show", "bank.v1"]).stdout;
    assert!(shown.contains("FIELD_WIRE_JSON_COMPATIBLE_TYPE"), "{shown}");
    assert!(daemon.log().contains("a server tells another contract than is registered"), "{}", daemon.log());

    drop(office);
    let _office = reflecting(at, text, folder.path());
    let listed = listed_with(&daemon, "bank.v1@1  ");
    assert!(!listed.contains("DRIFTED"), "{listed}");
}
