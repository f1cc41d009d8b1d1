//! One server, in trouble: slow, dead, throttling, cutting its connections.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tonic::Code;

use super::measure::{BOOK, FLAKY, Scene};
use super::server::{Fault, Server};

/// So that every call goes to the server, however ill it is.
const NO_BREAKER: &str = "    policy: { breaker: { calls: 0 } }\n";

#[tokio::test]
async fn a_slow_server_costs_nobody_more_than_his_deadline() {
    let server = Server::start(Fault::Slow(Duration::from_millis(500))).await;
    let mut scene = Scene::before(&[server.address], NO_BREAKER);
    let codes = scene.storm(20, 10, Bytes::from_static(b"\x0a\x01x")).await;
    assert_eq!(codes, BTreeMap::from([("DEADLINE_EXCEEDED", 200)]));
    server.tell(Fault::Slow(Duration::from_millis(20)));
    assert_eq!(scene.storm(5, 4, Bytes::new()).await, BTreeMap::from([("OK", 20)]));
    scene.end("slow");
}

#[tokio::test]
async fn a_dead_server_is_told_at_once_and_found_when_it_lives() {
    let server = Server::start(Fault::None).await;
    let address = server.address;
    drop(server);
    let mut scene = Scene::before(&[address], NO_BREAKER);
    scene.until_shown("Connection refused").await;
    let status = scene.call(BOOK, Bytes::new()).await.unwrap_err();
    let expected = format!("back office ledger is down: http://{address}: cannot connect: Connection refused");
    assert!(status.code() == Code::Unavailable && status.message().starts_with(&expected), "{status:?}");
    assert_eq!(scene.storm(50, 20, Bytes::new()).await, BTreeMap::from([("UNAVAILABLE", 1000)]));
    let _alive = Server::on(address, Fault::None).await;
    scene.until_shown("ready").await;
    assert_eq!(scene.storm(5, 4, Bytes::new()).await, BTreeMap::from([("OK", 20)]));
    scene.end("dead");
}

#[tokio::test]
async fn a_server_that_throttles_is_asked_again_when_it_says_and_not_beyond_the_deadline() {
    let refused = |pushback| Fault::Refused { code: 8, pushback: Some(pushback) };
    let server = Server::start(refused("60")).await;
    let retry = "    policy: { breaker: { calls: 0 }, retry: { codes: [RESOURCE_EXHAUSTED], attempts: 3, tokens: 1000 } }\n";
    let mut scene = Scene::before(&[server.address], retry);
    scene.until_shown("ready").await;
    for (pushback, attempts) in [("60", 3), ("500", 1), ("-1", 1)] {
        server.tell(refused(pushback));
        let before = server.arrivals().len();
        let status = scene.call(FLAKY, Bytes::new()).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{pushback}");
        assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), pushback, "the caller is told too");
        let came = server.arrivals().split_off(before);
        assert_eq!(came.len(), attempts, "{pushback}");
        assert!(came.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(60)), "{came:?}");
    }
    assert_eq!(scene.storm(50, 8, Bytes::new()).await, BTreeMap::from([("RESOURCE_EXHAUSTED", 400)]));
    server.tell(Fault::None);
    assert!(scene.call(FLAKY, Bytes::new()).await.is_ok());
    scene.end("throttling");
}

#[tokio::test]
async fn a_server_that_cuts_its_connections_fails_only_what_they_carry_and_is_not_hammered() {
    let server = Server::start(Fault::None).await;
    let mut scene = Scene::before(&[server.address], NO_BREAKER);
    scene.until_shown("ready").await;
    let mut beat = tokio::time::interval(Duration::from_millis(30));
    for turn in 0..40 {
        beat.tick().await;
        server.tell(if turn % 4 == 3 { Fault::HangUp } else { Fault::None });
        let codes = scene.storm(5, 2, Bytes::new()).await;
        assert!(codes.keys().all(|code| ["OK", "UNAVAILABLE", "DEADLINE_EXCEEDED"].contains(code)), "{codes:?}");
    }
    assert!(server.connections() <= 120, "{}", server.connections());
    server.tell(Fault::None);
    scene.until_shown("ready").await;
    assert_eq!(scene.storm(5, 4, Bytes::new()).await, BTreeMap::from([("OK", 20)]));
    scene.end("cutting");
}
