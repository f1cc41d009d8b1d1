//! Deadlines: reduced for the back office, kept in every phase.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::bus::{BOTH, Bus, DOWNLOAD, UNARY, UPLOAD, remote};
use super::caller::{Caller, begun, message, request, soon, whole, with};
use super::office::{Office, head, outcome, read_all, send_all};

const EXCEEDED: i32 = 4;

#[tokio::test]
async fn the_back_office_sees_what_is_left_of_the_deadline() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let office = Office::start(move |request, mut respond| {
        let timeout = request.headers().get("grpc-timeout").map(|value| value.to_str().unwrap().to_owned());
        tell.send(timeout).unwrap();
        let mut response = head();
        response.headers_mut().extend(outcome(0));
        respond.send_response(response, true).unwrap();
        std::future::ready(())
    })
    .await;
    let bus = Bus::with_default_timeout(remote(&[office.address]), Some(Duration::from_secs(60))).await;
    let caller = Caller::connect(bus.address).await;
    let mut seen = async |path, timeout: Option<&str>| {
        let asked = request(path);
        let asked = match timeout {
            Some(timeout) => with(asked, "grpc-timeout", timeout),
            None => asked,
        };
        caller.send(asked, message(1)).await;
        told.recv().await.unwrap()
    };
    for (path, given, most, unit) in
        [(UNARY, Some("3S"), 3_000_000, 'u'), (BOTH, Some("3S"), 3_000_000, 'u'), (UNARY, None, 60_000_000, 'u')]
    {
        let text = seen(path, given).await.unwrap();
        let (digits, at) = text.split_at(text.len() - 1);
        let digits: u64 = digits.parse().unwrap();
        assert_eq!(at, unit.to_string());
        assert!(digits < most && digits > most - 1_500_000, "{text}");
    }
    assert_eq!(seen(DOWNLOAD, None).await, None, "a stream may be meant to last");
}

#[tokio::test]
async fn a_deadline_that_has_passed_or_cannot_be_read_is_refused_at_once() {
    let bus = Bus::before(&["127.0.0.1:9".parse().unwrap()]).await;
    let caller = Caller::connect(bus.address).await;
    for (timeout, code) in [("0n", EXCEEDED), ("soon", 3), ("123456789S", 3)] {
        assert_eq!(caller.send(with(request(UNARY), "grpc-timeout", timeout), message(1)).await.code(), code, "{timeout}");
    }
}

/// What a back office does until its caller has had enough, in every phase.
#[tokio::test]
async fn a_deadline_ends_the_call_in_every_phase_and_the_back_office_hears_it() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let office = Office::start(move |request, mut respond| {
        let tell = tell.clone();
        async move {
            match request.uri().path() {
                // No headers.
                UNARY => {
                    read_all(&mut request.into_body()).await.unwrap();
                    std::future::poll_fn(|context| respond.poll_reset(context)).await.unwrap();
                }
                // Headers, then nothing, while the caller's messages are awaited.
                UPLOAD => {
                    let mut stream = respond.send_response(head(), false).unwrap();
                    std::future::poll_fn(|context| stream.poll_reset(context)).await.unwrap();
                }
                // Messages without end.
                _ => {
                    let mut stream = respond.send_response(head(), false).unwrap();
                    while send_all(&mut stream, message(10_000), 16384).await.is_ok() {}
                }
            }
            tell.send(()).unwrap();
        }
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    for path in [UNARY, UPLOAD, DOWNLOAD] {
        let started = Instant::now();
        let (response, mut stream) = caller.start(with(request(path), "grpc-timeout", "50m")).await;
        stream.send_data(message(10), path != UPLOAD).unwrap();
        let answer = soon(whole(response)).await.unwrap();
        assert_eq!(answer.code(), EXCEEDED, "{path}");
        assert!(started.elapsed() >= Duration::from_millis(50));
        soon(told.recv()).await.unwrap();
    }
}

#[tokio::test]
async fn a_deadline_counts_while_the_request_still_streams() {
    let office = Office::start(|request, _respond| async move {
        // It reads as long as somebody sends.
        let _ = read_all(&mut request.into_body()).await;
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let (response, mut stream) = caller.start(with(request(UPLOAD), "grpc-timeout", "50m")).await;
    let sending = async { while send_all(&mut stream, message(1_000), 16384).await.is_ok() {} };
    let ((), answer) = soon(async { tokio::join!(sending, whole(response)) }).await;
    assert_eq!(answer.unwrap().code(), EXCEEDED);
}

#[tokio::test]
async fn a_back_office_that_accepts_and_says_nothing_costs_the_caller_its_deadline_at_most() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bus = Bus::before(&[silent.local_addr().unwrap()]).await;
    let caller = Caller::connect(bus.address).await;
    let answer = caller.send(with(request(UNARY), "grpc-timeout", "50m"), message(1)).await;
    assert_eq!((answer.code(), answer.message().as_str()), (EXCEEDED, "back office office did not answer within the deadline"));
}

#[tokio::test]
async fn a_slow_stream_within_its_deadline_is_left_alone() {
    let office = Office::start(|request, mut respond| async move {
        let mut stream = respond.send_response(head(), false).unwrap();
        read_all(&mut request.into_body()).await.unwrap();
        stream.send_trailers(outcome(0)).unwrap();
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let (response, mut stream) = caller.start(with(request(BOTH), "grpc-timeout", "1H")).await;
    let mut body = begun(response).await.into_body();
    stream.send_data(Bytes::new(), true).unwrap();
    let (_, trailers) = soon(read_all(&mut body)).await.unwrap();
    assert_eq!(trailers["grpc-status"], "0");
}
