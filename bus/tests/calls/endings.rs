//! Calls that end before their time: cancelled by the caller in every phase, answered early by the back office.

use bytes::Bytes;
use h2::Reason;
use tokio::sync::mpsc;

use super::bus::{BOTH, Bus, DOWNLOAD, UNARY, UPLOAD};
use super::caller::{Caller, begun, message, next, request, soon, whole};
use super::office::{Office, head, outcome, read_all, send_all};

type Told = mpsc::UnboundedReceiver<&'static str>;

/// A back office that never answers UNARY and UPLOAD, streams one message on the others, and tells what it sees.
async fn watcher() -> (Office, Told) {
    let (tell, told) = mpsc::unbounded_channel();
    let office = Office::start(move |request, mut respond| {
        let tell = tell.clone();
        async move {
            tell.send("begun").unwrap();
            let streams = matches!(request.uri().path(), DOWNLOAD | BOTH);
            let mut body = request.into_body();
            if streams {
                let mut stream = respond.send_response(head(), false).unwrap();
                stream.send_data(message(1), false).unwrap();
                std::future::poll_fn(|context| stream.poll_reset(context)).await.unwrap();
            } else {
                if read_all(&mut body).await.is_ok() {
                    tell.send("whole").unwrap();
                }
                std::future::poll_fn(|context| respond.poll_reset(context)).await.unwrap();
            }
            tell.send("cancelled").unwrap();
        }
    })
    .await;
    (office, told)
}

async fn hears(told: &mut Told, expected: &str) {
    assert_eq!(soon(told.recv()).await, Some(expected));
}

#[tokio::test]
async fn a_caller_that_cancels_is_heard_in_every_phase() {
    let (office, mut told) = watcher().await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;

    // While it uploads.
    let (response, mut stream) = caller.start(request(UPLOAD)).await;
    stream.send_data(message(10), false).unwrap();
    hears(&mut told, "begun").await;
    stream.send_reset(Reason::CANCEL);
    hears(&mut told, "cancelled").await;
    drop(response);

    // While it waits for the answer.
    let (response, mut stream) = caller.start(request(UNARY)).await;
    stream.send_data(message(10), true).unwrap();
    hears(&mut told, "begun").await;
    hears(&mut told, "whole").await;
    stream.send_reset(Reason::CANCEL);
    hears(&mut told, "cancelled").await;
    drop(response);

    // In the middle of the answer, with its own messages sent or not.
    for (path, last) in [(DOWNLOAD, true), (BOTH, false)] {
        let (response, mut stream) = caller.start(request(path)).await;
        stream.send_data(message(10), last).unwrap();
        hears(&mut told, "begun").await;
        let mut body = begun(response).await.into_body();
        next(&mut body).await;
        stream.send_reset(Reason::CANCEL);
        hears(&mut told, "cancelled").await;
    }
    assert_eq!(bus.in_flight().await, 0);
}

#[tokio::test]
async fn a_lost_caller_is_heard() {
    let (office, mut told) = watcher().await;
    let bus = Bus::before(&[office.address]).await;
    for path in [UPLOAD, DOWNLOAD, BOTH] {
        let caller = Caller::connect(bus.address).await;
        let (_response, mut stream) = caller.start(request(path)).await;
        stream.send_data(message(10), false).unwrap();
        hears(&mut told, "begun").await;
        caller.vanish();
        hears(&mut told, "cancelled").await;
    }
}

/// A request that was cut off must not look complete, whatever reason the caller gives.
#[tokio::test]
async fn a_request_that_was_broken_off_never_looks_whole() {
    let (office, mut told) = watcher().await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    for reason in [Reason::CANCEL, Reason::NO_ERROR, Reason::INTERNAL_ERROR] {
        let (_response, mut stream) = caller.start(request(UPLOAD)).await;
        stream.send_data(message(10), false).unwrap();
        hears(&mut told, "begun").await;
        stream.send_reset(reason);
        hears(&mut told, "cancelled").await;
    }
}

#[tokio::test]
async fn an_early_outcome_ends_an_upload_that_goes_on() {
    let office = Office::start(|request, mut respond| async move {
        let mut response = head();
        response.headers_mut().extend(outcome(7));
        respond.send_response(response, true).unwrap();
        // Unread: h2 resets the stream with NO_ERROR.
        drop(request);
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    for path in [UNARY, UPLOAD, BOTH] {
        let (response, mut stream) = caller.start(request(path)).await;
        stream.send_data(message(10), false).unwrap();
        let answer = soon(whole(response)).await.unwrap();
        assert_eq!((answer.code(), answer.trailers.len()), (7, 0), "{path}");
        // The caller is told that nobody reads on.
        let reason = soon(std::future::poll_fn(|context| stream.poll_reset(context))).await.unwrap();
        assert_eq!(reason, Reason::NO_ERROR);
    }
}

#[tokio::test]
async fn an_early_answer_with_messages_passes_whole() {
    let office = Office::start(|request, mut respond| async move {
        let mut stream = respond.send_response(head(), false).unwrap();
        send_all(&mut stream, message(100_000), 16384).await.unwrap();
        stream.send_trailers(outcome(0)).unwrap();
        drop(request);
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let (response, mut stream) = caller.start(request(BOTH)).await;
    stream.send_data(message(10), false).unwrap();
    let answer = soon(whole(response)).await.unwrap();
    assert_eq!((answer.code(), answer.body.len()), (0, 100_005));
}

#[tokio::test]
async fn a_call_cancelled_while_it_waits_for_a_connection_leaves_nothing_behind() {
    // It accepts and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bus = Bus::before(&[silent.local_addr().unwrap()]).await;
    let caller = Caller::connect(bus.address).await;
    let (response, mut stream) = caller.start(request(UNARY)).await;
    stream.send_data(Bytes::new(), true).unwrap();
    while bus.in_flight().await == 0 {
        tokio::task::yield_now().await;
    }
    drop((response, stream));
    soon(async {
        while bus.in_flight().await != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
