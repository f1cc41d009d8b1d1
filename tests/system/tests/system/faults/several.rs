//! Several servers, one of them in trouble: callers hardly feel it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::measure::Scene;
use super::server::{Fault, Server};

const ILL: Fault = Fault::Refused { code: 14, pushback: None };
const QUICK: &str = "    outlier: { interval_ms: 2000, base_ejection_time_ms: 5000 }\n";

/// Two servers and a scene before them, when both are ready.
async fn two(first: Fault, settings: &str) -> (Server, Server, Scene) {
    let (first, second) = (Server::start(first).await, Server::start(Fault::None).await);
    let scene = Scene::before(&[first.address, second.address], settings);
    let mut beat = tokio::time::interval(Duration::from_millis(50));
    while scene.shown().matches(" ready").count() < 3 {
        beat.tick().await;
    }
    (first, second, scene)
}

#[tokio::test]
async fn one_of_two_that_fails_is_ejected_where_the_breaker_would_leave_both_alone_and_comes_back() {
    let (ill, well, mut scene) = two(ILL, QUICK).await;
    let codes = scene.storm(10, 50, Bytes::new()).await;
    assert!(codes["OK"] >= 440 && codes.len() == 2, "{codes:?}");
    let shown = scene.shown();
    assert!(shown.contains("ejected") && shown.contains("calls failed; it is looked at again in"), "{shown}");
    assert!(scene.daemon.log().contains("a server fails and gets no calls for a while"), "{}", scene.daemon.log());
    ill.tell(Fault::None);
    let mut beat = tokio::time::interval(Duration::from_millis(50));
    while scene.shown().contains("ejected") {
        beat.tick().await;
        assert_eq!(scene.storm(1, 1, Bytes::new()).await, BTreeMap::from([("OK", 1)]));
    }
    let before = (ill.arrivals().len(), well.arrivals().len());
    assert_eq!(scene.storm(10, 10, Bytes::new()).await, BTreeMap::from([("OK", 100)]));
    let after = (ill.arrivals().len() - before.0, well.arrivals().len() - before.1);
    assert!(after.0 >= 25 && after.1 >= 25, "both serve again: {after:?}");
    scene.end("one of two fails");
}

#[tokio::test]
async fn one_of_two_that_flaps_costs_few_calls() {
    let quick = "    outlier: { interval_ms: 300, base_ejection_time_ms: 1000, failure_percentage: { request_volume: 5 } }\n";
    let (flapping, _well, mut scene) = two(Fault::None, quick).await;
    let mut all = BTreeMap::<_, usize>::new();
    for turn in 0..6 {
        flapping.tell(if turn % 2 == 0 { ILL } else { Fault::None });
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(1200) {
            for (code, count) in scene.storm(10, 5, Bytes::new()).await {
                *all.entry(code).or_default() += count;
            }
        }
    }
    println!("flapping: {all:?}");
    // Ill half of the time, and quick to fail, it would take more than a quarter of all calls with it.
    assert!(all["OK"] * 100 >= all.values().sum::<usize>() * 85, "{all:?}");
    assert!(scene.daemon.log().matches("gets no calls for a while").count() >= 2, "{}", scene.daemon.log());
    assert!(all.keys().all(|code| ["OK", "UNAVAILABLE"].contains(code)), "{all:?}");
    scene.end("flapping");
}

#[tokio::test]
async fn one_of_two_that_answers_no_call_gets_few_and_is_ejected() {
    let soon = "    outlier: { interval_ms: 500, failure_percentage: { request_volume: 5 } }\n";
    let (silent, well, mut scene) = two(Fault::Silent, soon).await;
    let codes = scene.storm(20, 50, Bytes::new()).await;
    println!("one of two answers no call: {codes:?}; it got {}, the other {}", silent.arrivals().len(), well.arrivals().len());
    assert!(codes["OK"] >= 900, "{codes:?}");
    assert!(scene.shown().contains("ejected"), "{}", scene.shown());
    assert!(codes.keys().all(|code| ["OK", "DEADLINE_EXCEEDED"].contains(code)), "{codes:?}");
    scene.end("one of two answers no call");
}

#[tokio::test]
async fn the_servers_of_a_name_are_those_that_the_machine_knows() {
    let server = Server::start(Fault::None).await;
    let mut scene = Scene::before(&[format!("localhost:{}", server.address.port())], "");
    let place = format!("http://localhost:{} (127.0.0.1)", server.address.port());
    let shown = scene.until_shown("  ready").await;
    assert!(shown.contains(&place), "{shown}");
    assert_eq!(scene.storm(5, 4, Bytes::new()).await, BTreeMap::from([("OK", 20)]));
    let nowhere = Scene::before(&["no-such-host.invalid:1"], "");
    nowhere.until_shown("its name cannot be resolved").await;
    scene.end("a name");
}

/// The other server is a Passerelle, which tells how the services behind it are.
#[tokio::test]
async fn a_server_that_is_asked_how_it_is_gets_calls_only_if_it_is_well() {
    let server = Server::start(Fault::None).await;
    let near = Scene::before(&[server.address], "");
    near.until_shown("  ready").await;
    let mut far = Scene::before(&[near.daemon.channels], "    health_check: { service: host.v1.Ledger }\n");
    far.until_shown("  ready").await;
    assert_eq!(far.storm(5, 4, Bytes::new()).await, BTreeMap::from([("OK", 20)]));
    let mut lost = Scene::before(&[near.daemon.channels], "    health_check: { service: host.v1.Nothing }\n");
    lost.until_shown("not serving  it does not know the service whose health is asked for").await;
    let status = lost.call(super::measure::BOOK, Bytes::new()).await.unwrap_err();
    assert!(status.message().ends_with(": it does not know the service whose health is asked for"), "{status:?}");
    far.end("health");
}
