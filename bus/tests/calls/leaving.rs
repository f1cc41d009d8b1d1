//! Changes under way that no call may notice: a back office that leaves by GOAWAY, routes that are replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;
use h2::Reason;
use tokio::sync::Notify;

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

/// What the back office has looked at may have had its effect: the bus never sends it twice.
#[tokio::test]
async fn a_call_that_was_looked_at_is_not_repeated() {
    let looked_at = Arc::new(Notify::new());
    let (tell, seen) = (looked_at.clone(), Arc::new(AtomicUsize::new(0)));
    let count = seen.clone();
    let office = Office::start(move |request, respond| {
        let (tell, count) = (tell.clone(), count.clone());
        async move {
            let _respond = respond;
            read_all(&mut request.into_body()).await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            tell.notify_one();
            std::future::pending::<()>().await;
        }
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let (answer, ()) = soon(async {
        tokio::join!(caller.call(UNARY, message(1)), async {
            looked_at.notified().await;
            office.break_off();
        })
    })
    .await;
    assert_eq!((answer.code(), seen.load(Ordering::SeqCst)), (14, 1));
}

#[tokio::test]
async fn a_refused_call_is_repeated_with_all_its_messages_if_it_is_not_too_large() {
    let refusals = Arc::new(AtomicUsize::new(0));
    let left = refusals.clone();
    let office = Office::start(move |request, mut respond| {
        let left = left.clone();
        async move {
            if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
                return echo(request, respond).await;
            }
            let mut body = request.into_body();
            // Refused in the middle of the messages.
            let _ = body.data().await;
            respond.send_reset(Reason::REFUSED_STREAM);
        }
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    for (length, times, code) in [(0, 1, 0), (10, 3, 0), (50_000, 2, 0), (10, 4, 14), (500_000, 1, 14)] {
        refusals.store(times, Ordering::SeqCst);
        let answer = caller.call(UNARY, message(length)).await;
        assert_eq!(answer.code(), code, "{length} {times}");
        assert!(code != 0 || answer.body == message(length), "{length} {times}");
    }

    // Messages that come one by one, before and after the refusal.
    refusals.store(1, Ordering::SeqCst);
    let (response, mut stream) = caller.start(request(BOTH)).await;
    stream.send_data(message(3), false).unwrap();
    soon(async {
        while refusals.load(Ordering::SeqCst) != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    stream.send_data(message(4), false).unwrap();
    stream.send_data(Bytes::new(), true).unwrap();
    let answer = soon(whole(response)).await.unwrap();
    assert_eq!((answer.code(), answer.body), (0, [message(3), message(4)].concat()));
}
