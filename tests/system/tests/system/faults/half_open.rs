//! Servers that are there only in part: the port is open and nobody speaks, or HTTP/2 is spoken and no call gets through.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use passerelle_system::Client;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::measure::Scene;
use super::server::{Fault, Server};

const NO_BREAKER: &str = "    policy: { breaker: { calls: 0 } }\n";

#[tokio::test]
async fn a_port_that_accepts_and_says_nothing_is_down_once_that_is_known() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let mut silence = JoinSet::new();
    silence.spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = socket.accept().await {
            kept.push(stream);
        }
    });
    let mut scene = Scene::before(&[address], &format!("    connect_timeout_ms: 3000\n{NO_BREAKER}"));
    // Nobody knows yet: callers wait as long as they want to.
    let codes = scene.storm(20, 2, Bytes::new()).await;
    assert!(codes["DEADLINE_EXCEEDED"] >= 20, "{codes:?}");
    let shown = scene.until_shown("down").await;
    assert!(shown.contains("no HTTP/2 answer within 3000 ms"), "{shown}");
    assert_eq!(scene.storm(50, 8, Bytes::new()).await, BTreeMap::from([("UNAVAILABLE", 400)]));
    scene.end("accepts and says nothing");
}

#[tokio::test]
async fn a_server_that_speaks_http2_and_answers_no_call_costs_each_caller_his_deadline() {
    let server = Server::start(Fault::Silent).await;
    let mut scene = Scene::before(&[server.address], NO_BREAKER);
    scene.until_shown("ready").await;
    for fault in [Fault::Silent, Fault::Stuck] {
        server.tell(fault);
        let codes = scene.storm(20, 5, Bytes::from_static(b"\x0a\x0210")).await;
        assert_eq!(codes, BTreeMap::from([("DEADLINE_EXCEEDED", 100)]), "{fault:?}");
    }
    server.tell(Fault::None);
    assert_eq!(scene.storm(5, 4, Bytes::new()).await, BTreeMap::from([("OK", 20)]));
    scene.end("answers no call");
}

/// Each call takes what the server's windows take, and no more; what is left stays with its caller.
#[tokio::test]
async fn a_server_that_reads_nothing_does_not_fill_the_daemon() {
    let server = Server::start(Fault::Deaf).await;
    let mut scene = Scene::before(&[server.address], NO_BREAKER);
    scene.until_shown("ready").await;
    let megabyte = Bytes::from(vec![0; 1 << 20]);
    assert_eq!(scene.storm(20, 4, megabyte).await, BTreeMap::from([("DEADLINE_EXCEEDED", 80)]));
    server.tell(Fault::None);
    assert_eq!(scene.storm(5, 4, Bytes::new()).await, BTreeMap::from([("OK", 20)]));
    scene.end("reads nothing");
}

/// With the policies that hold when nothing is declared: soon nobody waits any more.
#[tokio::test]
async fn a_server_that_answers_no_call_is_left_alone_before_long() {
    let server = Server::start(Fault::None).await;
    let mut scene = Scene::before(&[server.address], "");
    scene.until_shown("ready").await;
    assert_eq!(scene.storm(5, 10, Bytes::new()).await, BTreeMap::from([("OK", 50)]));
    server.tell(Fault::Silent);
    let codes = scene.storm(20, 20, Bytes::new()).await;
    assert!(codes["DEADLINE_EXCEEDED"] <= 100 && codes["UNAVAILABLE"] >= 300, "{codes:?}");
    server.tell(Fault::None);
    let client = Client::new(scene.daemon.channels);
    let mut beat = tokio::time::interval(Duration::from_millis(50));
    let healed = std::time::Instant::now();
    while client.call(super::measure::BOOK, Bytes::new()).await.is_err() {
        beat.tick().await;
        assert!(healed.elapsed() < Duration::from_secs(20), "it stays left alone");
    }
    scene.end("left alone");
}
