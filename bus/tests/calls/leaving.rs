//! Changes under way that no call may notice: a back office that leaves by GOAWAY, routes that are replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;

use super::bus::{BOTH, Bus, DOWNLOAD, UNARY, remote, table};
use super::caller::{Caller, begun, message, next, request, soon, whole};
use super::office::{Office, builder, echo, head, outcome, read_all};

/// 100 callers at a time over two connections while the back office leaves again and again.
async fn leaves_under_load(streams: u32) {
    let mut http = builder();
    http.max_concurrent_streams(streams);
    let office = Arc::new(Office::with(http, echo).await);
    let bus = Bus::before(&[office.address]).await;
    let callers = [Caller::connect(bus.address).await, Caller::connect(bus.address).await];
    let (done, total) = (Arc::new(AtomicUsize::new(0)), 1_000);
    let work = (0..100).map(|index: usize| {
        let (caller, done, office) = (callers[index % 2].clone(), done.clone(), office.clone());
        tokio::spawn(async move {
            while done.load(Ordering::Relaxed) < total {
                let answer = caller.call(UNARY, message(index * 10)).await;
                assert_eq!(answer.code(), 0, "{}", answer.message());
                if done.fetch_add(1, Ordering::Relaxed) % 100 == 0 {
                    office.go_away();
                }
            }
        })
    });
    for call in soon(join_all(work)).await {
        call.unwrap();
    }
    assert!(office.connections.load(Ordering::SeqCst) > 3);
}

#[tokio::test]
async fn no_call_fails_when_the_back_office_leaves_under_load() {
    leaves_under_load(1_000).await;
}

#[tokio::test]
async fn no_call_that_waits_for_a_stream_fails_when_the_back_office_leaves() {
    leaves_under_load(10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_when_the_back_office_leaves_and_the_bus_runs_on_several_threads() {
    leaves_under_load(50).await;
}

async fn ping_pong() -> Office {
    Office::start(|request, mut respond| async move {
        if request.uri().path() == UNARY {
            return echo(request, respond).await;
        }
        let mut body = request.into_body();
        let mut stream = respond.send_response(head(), false).unwrap();
        while let Some(Ok(data)) = body.data().await {
            body.flow_control().release_capacity(data.len()).unwrap();
            stream.send_data(data, false).unwrap();
        }
        stream.send_trailers(outcome(0)).unwrap();
    })
    .await
}

#[tokio::test]
async fn a_stream_in_flight_outlives_goaway_and_its_route() {
    let office = ping_pong().await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let (response, mut stream) = caller.start(request(BOTH)).await;
    let mut body = begun(response).await.into_body();
    stream.send_data(message(1), false).unwrap();
    next(&mut body).await;

    office.go_away();
    assert_eq!(caller.call(UNARY, message(3)).await.code(), 0);
    let other = ping_pong().await;
    bus.gateway.replace(table(remote(&[other.address]).into()));
    assert_eq!(caller.call(UNARY, message(3)).await.code(), 0);
    bus.gateway.replace(Default::default());
    assert_eq!(caller.call(UNARY, message(3)).await.code(), 12);

    stream.send_data(message(2), false).unwrap();
    assert_eq!(next(&mut body).await, message(2));
    stream.send_data(Bytes::new(), true).unwrap();
    let (_, trailers) = soon(read_all(&mut body)).await.unwrap();
    assert_eq!(trailers["grpc-status"], "0");
}

#[tokio::test]
async fn routes_replaced_under_load_fail_no_call() {
    let offices = [ping_pong().await, ping_pong().await];
    let bus = Bus::before(&[offices[0].address]).await;
    let caller = Caller::connect(bus.address).await;
    for round in 0..20 {
        let calls = (0..20).map(|length| caller.call(if length % 2 == 0 { DOWNLOAD } else { UNARY }, message(length)));
        let replaced = async { bus.gateway.replace(table(remote(&[offices[round % 2].address]).into())) };
        let (answers, ()) = soon(async { tokio::join!(join_all(calls), replaced) }).await;
        assert!(answers.iter().all(|answer| answer.code() == 0));
    }
    let (response, mut stream) = caller.start(request(UNARY)).await;
    stream.send_data(message(1), true).unwrap();
    assert_eq!(soon(whole(response)).await.unwrap().code(), 0);
}
