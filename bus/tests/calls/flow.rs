//! Flow control: nobody who is slow, cancels a lot or sends crumbs may harm the other calls.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::bus::{BOTH, Bus, DOWNLOAD, UNARY};
use super::caller::{Caller, begun, message, next, request, soon};
use super::office::{Office, echo, head, outcome, read_all, send_all};

const MANY: usize = 2 << 20;

/// A back office that streams without end on DOWNLOAD, in frames of this size, and echoes everything else.
async fn fountain(frame: usize) -> Office {
    Office::start(move |request, mut respond| async move {
        if request.uri().path() != DOWNLOAD {
            return echo(request, respond).await;
        }
        let mut stream = respond.send_response(head(), false).unwrap();
        let one = message(frame - 5);
        while send_all(&mut stream, one.clone(), frame).await.is_ok() {}
    })
    .await
}

#[tokio::test]
async fn a_caller_may_send_everything_before_it_reads_anything() {
    let office = Office::start(|request, mut respond| async move {
        let mut stream = respond.send_response(head(), false).unwrap();
        let sending = async { send_all(&mut stream, message(MANY), 16384).await.unwrap() };
        let mut body = request.into_body();
        let (read, ()) = tokio::join!(read_all(&mut body), sending);
        assert_eq!(read.unwrap().0.len(), MANY + 5);
        stream.send_trailers(outcome(0)).unwrap();
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::narrow(bus.address).await;
    let (response, mut stream) = caller.start(request(BOTH)).await;
    let mut body = begun(response).await.into_body();
    soon(send_all(&mut stream, message(MANY), 16384)).await.unwrap();
    stream.send_data(Bytes::new(), true).unwrap();
    let (bytes, trailers) = soon(read_all(&mut body)).await.unwrap();
    assert_eq!((bytes.len(), trailers["grpc-status"].as_bytes()), (MANY + 5, &b"0"[..]));
}

#[tokio::test]
async fn callers_that_do_not_read_stall_nobody_else() {
    let office = fountain(16384).await;
    let bus = Bus::before(&[office.address]).await;
    let slow = Caller::narrow(bus.address).await;
    let mut open = Vec::new();
    for _ in 0..100 {
        let (response, _) = slow.start(request(DOWNLOAD)).await;
        open.push(begun(response).await);
    }
    let caller = Caller::connect(bus.address).await;
    for _ in 0..20 {
        assert_eq!(caller.call(UNARY, message(100_000)).await.code(), 0);
    }
}

#[tokio::test]
async fn a_caller_that_does_not_read_crumbs_breaks_no_connection() {
    let office = fountain(6).await;
    let bus = Bus::before(&[office.address]).await;
    let slow = Caller::narrow(bus.address).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let (response, _) = slow.start(request(DOWNLOAD)).await;
        open.push(begun(response).await.into_body());
    }
    let caller = Caller::connect(bus.address).await;
    for _ in 0..100 {
        assert_eq!(caller.call(UNARY, message(1_000)).await.code(), 0);
    }
    assert_eq!(office.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
    for body in &mut open {
        next(body).await;
    }
}

/// Frames of cancelled calls are still under way when h2 has long forgotten those calls.
#[tokio::test]
async fn hundreds_of_calls_cancelled_at_once_leave_the_connection_alive() {
    let office = fountain(1024).await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::narrow(bus.address).await;
    for _ in 0..3 {
        let mut open = Vec::new();
        for _ in 0..150 {
            open.push(caller.start(request(DOWNLOAD)).await);
        }
        for (response, stream) in open {
            drop((begun(response).await, stream));
        }
    }
    assert_eq!(caller.call(UNARY, message(1)).await.code(), 0);
    assert_eq!(office.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_upload_goes_on_while_the_answer_has_begun() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let office = Office::start(move |request, mut respond| {
        let tell = tell.clone();
        async move {
            let mut stream = respond.send_response(head(), false).unwrap();
            let (bytes, _) = read_all(&mut request.into_body()).await.unwrap();
            tell.send(bytes.len()).unwrap();
            stream.send_trailers(outcome(0)).unwrap();
        }
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let (response, mut stream) = caller.start(request(BOTH)).await;
    let _body = begun(response).await;
    soon(send_all(&mut stream, message(MANY), 16384)).await.unwrap();
    stream.send_data(Bytes::new(), true).unwrap();
    assert_eq!(soon(told.recv()).await, Some(MANY + 5));
}
