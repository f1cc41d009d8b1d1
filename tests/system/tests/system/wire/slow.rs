//! An adapter that does not answer: callers hear of it at their deadline, and others hear nothing of it.

use std::time::Duration;

use tokio::task::JoinSet;
use tonic::Code;

use super::{Scene, echoes, number, path};
use crate::faults::measure::{Machine, may_be_late, over_deadline};

const DEADLINE: Duration = Duration::from_millis(300);
/// It would leave the whole endpoint alone, and others with it.
const NO_BREAKER: &str = ", policy: { breaker: { calls: 0 } }";
const CALLERS: usize = 20;
const CALLS: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adapter_that_does_not_answer_costs_nobody_more_than_his_deadline_and_others_nothing() {
    let scene = Scene::with("", NO_BREAKER).when_ready().await;
    let mut machine = Machine::watch();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let client = scene.client();
        callers.spawn(async move {
            for _ in 0..CALLS {
                let status = client.call_within(DEADLINE, &path("Silent"), number(1)).await.unwrap_err();
                assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
            }
        });
    }
    let (other, mut served) = (scene.client(), 0);
    while !callers.is_empty() {
        tokio::select! {
            biased;
            ended = callers.join_next() => ended.unwrap().unwrap(),
            echo = echoes(&other) => {
                echo.unwrap();
                served += 1;
            }
        }
    }
    let machine = machine.stop();
    let (over, all) = over_deadline(&scene.daemon, "planted");
    println!("slow: of {all} outcomes {over} came late, the machine was late by {machine:?}; {served} other calls meanwhile");
    assert_eq!(all, (CALLERS * CALLS) as u64);
    assert!(over <= may_be_late(all, machine), "{over} of {all} came more than 20 ms after their deadline");
    assert!(served > CALLS, "{served}");
    let adapter = scene.adapter(1);
    scene.end("slow", adapter);
}
