//! An adapter that is drained under load: what it has begun it ends, and nothing happens twice.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use passerelle_system::planted::{BEGUN, EFFECTS};
use tokio::task::JoinSet;
use tonic::Code;
use tonic_types::StatusExt;

use super::{Scene, number, path, terminate, until};
use crate::receive::PATIENCE;

/// Calls in flight as the end is asked for, and calls that come then.
const BEFORE: u64 = 32;
const AFTER: u64 = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adapter_drained_under_load_loses_no_call_does_none_twice_and_who_is_refused_is_told_when_to_come() {
    let scene = Scene::ready().await;
    let client = scene.client();
    let mut calls = JoinSet::new();
    for call in 0..BEFORE {
        let client = client.clone();
        calls.spawn(async move { client.call(&path("Post"), number(call)).await });
    }
    until("all have begun", || (scene.lines(BEGUN).len() as u64 == BEFORE).then_some(())).await;
    let first = scene.adapter(1);
    terminate(first);
    scene.until_shown("draining").await;
    let mut refused = JoinSet::new();
    for call in BEFORE..BEFORE + AFTER {
        let client = client.clone();
        refused.spawn(async move { (call, client.call(&path("Post"), number(call)).await.unwrap_err()) });
    }
    let (mut again, mut draining) = (BTreeSet::new(), 0);
    while let Some(refused) = refused.join_next().await {
        let (call, status) = refused.unwrap();
        // After so many the breaker says it in the adapter's place.
        let is_draining = status.message().contains("draining");
        assert!(is_draining || status.message().contains("is left alone for a while"), "{status:?}");
        assert_eq!(status.code(), Code::Unavailable);
        draining += usize::from(is_draining);
        let after = status.get_details_retry_info().and_then(|info| info.retry_delay);
        assert!(after.is_some_and(|after| after > Duration::ZERO && after <= Duration::from_secs(15)), "{status:?}");
        again.insert(call);
    }
    assert!(draining > 0, "nobody heard the adapter's own reason");
    assert_eq!(scene.lines(BEGUN).len() as u64, BEFORE, "what is refused has not begun");
    let peak = super::peak_memory_kib(first);
    scene.open_gate();
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
    // The next process takes those that were refused.
    let second = scene.adapter(2);
    scene.until_shown("  ready").await;
    for call in again {
        come_again(&scene, call).await;
    }
    let effects = scene.lines(EFFECTS);
    let distinct: BTreeSet<u64> = effects.iter().map(|line| line.parse().unwrap()).collect();
    assert_eq!(effects.len() as u64, BEFORE + AFTER, "something was done twice: {effects:?}");
    assert_eq!(distinct, (0..BEFORE + AFTER).collect());
    println!("drain: the first adapter had {peak} KiB");
    scene.end("drain", second);
}

/// Calls until it is done; each refusal is one that says it has not begun.
async fn come_again(scene: &Scene, call: u64) {
    let (begin, mut beat) = (Instant::now(), tokio::time::interval(Duration::from_millis(20)));
    while let Err(status) = scene.client().call(&path("Post"), number(call)).await {
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert!(begin.elapsed() < PATIENCE, "{status:?}");
        beat.tick().await;
    }
}
