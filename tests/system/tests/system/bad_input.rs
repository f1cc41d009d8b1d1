//! Bad input of every sort: each gets a clear error, none a hang, and the daemon goes on serving.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_peers::python::Disputes;
use passerelle_system::{Contract, Daemon, World};
use serde_json::json;
use tonic::Code;

const LOOK: &str = "/bank.disputes.v1.CardDisputes/Look";

/// Disputes at `address` behind a daemon that carries messages of 64 KiB at most.
fn serve(address: SocketAddr) -> Daemon {
    World::default()
        .copy(&Disputes::contract(), "disputes.proto")
        .settings(&format!(
            "limits: {{ message_bytes: 65536 }}\n\
             endpoints:\n  disputes: {{ addresses: [\"http://{address}\"], contract: {{ proto: [disputes.proto] }} }}\n"
        ))
        .serve()
}

fn look(request: serde_json::Value) -> Bytes {
    Contract::compile(&Disputes::contract()).encode("bank.disputes.v1.LookRequest", &request)
}

#[tokio::test]
async fn a_method_that_nobody_serves_is_unimplemented() {
    let daemon = World::default().settings("").serve();
    let status = daemon.client().call("/bank.nowhere.v1.Nothing/Do", Bytes::new()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("bank.nowhere.v1.Nothing"), "{status}");
}

#[tokio::test]
async fn an_oversized_message_is_refused_either_way_and_the_next_call_passes() {
    let Some(disputes) = Disputes::start() else { return };
    let daemon = serve(disputes.address());
    let client = daemon.client();
    for request in [look(json!({ "content": "A".repeat(100_000) })), look(json!({ "answerBytes": 100_000 }))] {
        let status = client.call(LOOK, request).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        assert!(status.message().contains("65536"), "the limit is named: {status}");
        client.call(LOOK, look(json!({ "answerBytes": 60_000 }))).await.unwrap();
    }
}

#[tokio::test]
async fn a_back_office_that_nobody_runs_is_unavailable() {
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let daemon = serve(nobody);
    let status = daemon.client().call_within(Duration::from_secs(5), LOOK, Bytes::new()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(status.message().contains("disputes"), "the back office is named: {status}");
}

#[tokio::test]
async fn a_back_office_that_never_answers_costs_its_caller_no_more_than_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let daemon = serve(silent.local_addr().unwrap());
    let start = Instant::now();
    let status = daemon.client().call_within(Duration::from_millis(300), LOOK, Bytes::new()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_back_office_that_sends_garbage_is_unavailable() {
    let garbage = TcpListener::bind("127.0.0.1:0").unwrap();
    let daemon = serve(garbage.local_addr().unwrap());
    std::thread::spawn(move || {
        for peer in garbage.incoming().flatten() {
            // Until the daemon leaves: closing with unread bytes would be a reset, and say nothing about the garbage.
            let (mut from, mut to) = (peer.try_clone().unwrap(), peer);
            let _ = to.write_all(b"SMTP ready, or is it?\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
            let _ = std::io::copy(&mut from, &mut std::io::sink());
        }
    });
    let status = daemon.client().call_within(Duration::from_secs(5), LOOK, Bytes::new()).await.unwrap_err();
    assert!([Code::Unavailable, Code::Unknown].contains(&status.code()), "{status:?}");
}

#[tokio::test]
async fn a_back_office_that_leaves_in_the_middle_is_an_error_and_not_a_short_answer() {
    let Some(disputes) = Disputes::start() else { return };
    let daemon = serve(disputes.address());
    let endless = Contract::compile(&Disputes::contract()).encode("bank.disputes.v1.FollowRequest", &json!({ "label": "cut" }));
    let mut events = daemon.client().follow("/bank.disputes.v1.CardDisputes/Follow", endless).await.unwrap();
    events.message().await.unwrap().expect("an event");
    drop(disputes);
    let status = loop {
        match events.message().await {
            Ok(event) => assert!(event.is_some(), "an end as if nothing had happened"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
}

#[tokio::test]
async fn a_channel_that_sends_garbage_is_cut_off_and_others_are_served() {
    let Some(disputes) = Disputes::start() else { return };
    let daemon = serve(disputes.address());
    for garbage in
        [&b"GET / HTTP/1.0\r\n\r\n"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff", &[0; 4096]]
    {
        let mut channel = TcpStream::connect(daemon.channels).unwrap();
        channel.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        channel.write_all(garbage).unwrap();
        // The daemon says what it has to say and closes; a reset is as good.
        let end = channel.read_to_end(&mut Vec::new());
        assert!(end.as_ref().map_err(std::io::Error::kind) != Err(std::io::ErrorKind::WouldBlock), "{end:?} after {garbage:?}");
    }
    daemon.client().call(LOOK, Bytes::new()).await.unwrap();
}

#[test]
fn a_key_that_settings_do_not_have_is_refused_with_its_place() {
    let world = World::default().file("passerelle.yaml", "listen: 127.0.0.1:0\nlimits:\n  mesage_bytes: 5\n");
    for command in [["check", "--settings", "passerelle.yaml"], ["serve", "--settings", "passerelle.yaml"]] {
        let run = world.run(&command);
        assert_eq!(run.status.code(), Some(1), "{run:?}");
        assert!(run.stderr.contains("passerelle.yaml:3:3"), "{run:?}");
        assert!(
            run.stderr.contains("mesage_bytes") && run.stderr.contains("message_bytes"),
            "what is wrong, and what would be right: {run:?}"
        );
    }
}

#[test]
fn a_proto_that_does_not_compile_is_refused_with_its_place() {
    let world = World::default()
        .file(
            "broken.proto",
            "syntax = \"proto3\";\npackage bank.v1;\nservice Broken {\n  rpc Do(Nothing) returns (Nothing);\n}\n",
        )
        .settings("endpoints:\n  broken: { addresses: [\"http://127.0.0.1:1\"], contract: { proto: [broken.proto] } }\n");
    let run = world.run(&["check", "--settings", "passerelle.yaml"]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(run.stderr.contains("broken.proto:4:"), "{run:?}");
}
