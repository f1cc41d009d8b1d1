//! Who records and does not keep up holds up nobody: calls are left out of the recording, counted, and told.

use std::process::Command;
use std::time::Instant;

use futures_util::StreamExt as _;
use passerelle_peers::python::Disputes;
use passerelle_system::Contract;
use serde_json::json;

use super::{CONTRACT, Recorder, before, calls};

const OPEN: &str = "/bank.disputes.v1.CardDisputes/Open";
const CALLS: usize = 1_500;
const REASON_BYTES: usize = 16 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_stands_still_costs_calls_nothing_and_is_told_what_it_missed() {
    let Some(disputes) = Disputes::start() else { return };
    let daemon = before(&disputes, |contract| contract);
    let contract = Contract::compile(&Disputes::contract());
    let request = json!({ "cardToken": "t", "amountCents": 1, "reason": "r".repeat(REASON_BYTES) });
    let request = contract.encode("bank.disputes.v1.OpenRequest", &request);
    let client = daemon.client();
    let flood = || async {
        let began = Instant::now();
        let calls = futures_util::stream::iter(0..CALLS).map(|_| client.call(OPEN, request.clone()));
        let right = calls.buffer_unordered(32).filter(|answer| std::future::ready(answer.is_ok())).count().await;
        assert_eq!(right, CALLS);
        began.elapsed()
    };
    let alone = flood().await;
    let mut recorder = Recorder::start(&daemon, CONTRACT, &[]);
    signal(&recorder, "-STOP");
    let recorded = flood().await;
    let peak = daemon.peak_memory_kib();
    println!("{CALLS} calls: {alone:?} alone, {recorded:?} with a recorder that stands still; peak {peak} KiB");
    signal(&recorder, "-CONT");
    // It takes what was kept for it, then hears of the rest.
    recorder.process.wait_until("says that calls are left out", {
        let log = recorder.process.folder().join("log");
        move || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("some are left out"))
    });
    let (recording, said) = recorder.end();
    let kept = calls(&recording).len();
    let left_out: usize = said.split("left out: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    assert!(kept > 0 && left_out > 0 && kept + left_out <= CALLS, "{said}");
}

fn signal(recorder: &Recorder, signal: &str) {
    let id = recorder.process.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}
