//! Back offices and callers that break the protocol, or off: everybody gets an answer, the bus goes on.

use bytes::Bytes;
use h2::Reason;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::bus::{BOTH, Bus, UNARY};
use super::caller::{Caller, message, request, soon, whole};
use super::office::{Office, echo, head, outcome, read_all};

const UNAVAILABLE: i32 = 14;

#[tokio::test]
async fn an_http_answer_without_grpc_becomes_the_status_that_grpc_says() {
    for (http, code) in
        [(400, 13), (401, 16), (403, 7), (404, 12), (429, 14), (502, 14), (503, 14), (504, 14), (500, 2), (200, 2)]
    {
        let office = Office::start(move |request, mut respond| async move {
            read_all(&mut request.into_body()).await.unwrap();
            let response = http::Response::builder().status(http).header("content-type", "text/html").body(()).unwrap();
            let mut stream = respond.send_response(response, false).unwrap();
            stream.send_data(Bytes::from_static(b"<h1>sorry</h1>"), true).unwrap();
        })
        .await;
        let bus = Bus::before(&[office.address]).await;
        let answer = Caller::connect(bus.address).await.call(UNARY, message(1)).await;
        assert_eq!((answer.http.as_u16(), answer.code(), answer.body.len()), (200, code, 0), "{http}");
    }
}

#[tokio::test]
async fn a_reset_becomes_the_status_that_grpc_says_before_and_after_the_headers() {
    let cases = [
        (Reason::NO_ERROR, 13),
        (Reason::PROTOCOL_ERROR, 13),
        (Reason::INTERNAL_ERROR, 13),
        (Reason::REFUSED_STREAM, 14),
        (Reason::CANCEL, 1),
        (Reason::ENHANCE_YOUR_CALM, 8),
        (Reason::INADEQUATE_SECURITY, 7),
    ];
    for (reason, code) in cases {
        let office = Office::start(move |request, mut respond| async move {
            let path = request.uri().path().to_owned();
            read_all(&mut request.into_body()).await.unwrap();
            match path.as_str() {
                UNARY => respond.send_reset(reason),
                _ => respond.send_response(head(), false).unwrap().send_reset(reason),
            }
        })
        .await;
        let bus = Bus::before(&[office.address]).await;
        let caller = Caller::connect(bus.address).await;
        for path in [UNARY, BOTH] {
            assert_eq!(caller.call(path, message(1)).await.code(), code, "{reason:?} {path}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_an_outcome_gets_one() {
    let office = Office::start(|request, mut respond| async move {
        read_all(&mut request.into_body()).await.unwrap();
        let mut stream = respond.send_response(head(), false).unwrap();
        stream.send_data(message(1), true).unwrap();
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let answer = Caller::connect(bus.address).await.call(UNARY, message(1)).await;
    assert_eq!((answer.code(), answer.body.len()), (13, 6));
}

#[tokio::test]
async fn an_outcome_of_ok_that_is_not_true_becomes_one_that_is() {
    let two = [message(1), message(2)].concat();
    let cases = [
        (UNARY, Bytes::new(), "without a message"),
        (UNARY, message(9).slice(..7), "in the middle of a message"),
        (UNARY, message(9).slice(..3), "in the middle of a message"),
        (UNARY, two.clone().into(), "with 2 messages, where one is due"),
        (BOTH, message(9).slice(..7), "in the middle of a message"),
        (BOTH, Bytes::new(), ""),
        (BOTH, two.into(), ""),
    ];
    for (path, said, wrong) in cases {
        let answer = said.clone();
        let office = Office::start(move |request, mut respond| {
            let said = said.clone();
            async move {
                read_all(&mut request.into_body()).await.unwrap();
                if said.is_empty() {
                    let mut response = head();
                    response.headers_mut().extend(outcome(0));
                    respond.send_response(response, true).unwrap();
                    return;
                }
                let mut stream = respond.send_response(head(), false).unwrap();
                stream.send_data(said, false).unwrap();
                stream.send_trailers(outcome(0)).unwrap();
            }
        })
        .await;
        let bus = Bus::before(&[office.address]).await;
        let seen = Caller::connect(bus.address).await.call(path, message(1)).await;
        let expected =
            if wrong.is_empty() { (0, String::new()) } else { (13, format!("back office office answered OK {wrong}")) };
        assert_eq!((seen.code(), seen.message()), expected, "{path} {answer:?}");
    }
}

/// A port where every connection is answered by `script`.
async fn port<Done: Future<Output = ()> + Send + 'static>(
    script: impl Fn(TcpStream) -> Done + Send + 'static,
) -> std::net::SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = socket.accept().await.unwrap();
            tokio::spawn(script(stream));
        }
    });
    address
}

#[tokio::test]
async fn a_back_office_that_speaks_no_http2_is_down() {
    let garbage = port(|mut stream| async move {
        stream.write_all(b"220 mail.test ESMTP ready, this is no HTTP/2 at all\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let hangs_up = port(|stream| async move { drop(stream) }).await;
    let nobody = {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        socket.local_addr().unwrap()
    };
    for address in [garbage, hangs_up, nobody] {
        let bus = Bus::before(&[address]).await;
        let answer = Caller::connect(bus.address).await.call(UNARY, message(1)).await;
        assert_eq!(answer.code(), UNAVAILABLE);
        assert!(answer.message().starts_with("back office office is down: http://127.0.0.1:"), "{}", answer.message());
    }
}

#[tokio::test]
async fn an_answer_cut_in_the_middle_is_unavailable() {
    let address = port(|stream| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let (_request, mut respond) = connection.accept().await.unwrap().unwrap();
        let mut answer = respond.send_response(head(), false).unwrap();
        answer.send_data(message(10).slice(..7), false).unwrap();
        // Written out, then the connection is cut.
        let _ = futures_util::future::poll_immediate(std::future::poll_fn(|context| connection.poll_closed(context))).await;
    })
    .await;
    let bus = Bus::before(&[address]).await;
    let answer = Caller::connect(bus.address).await.call(UNARY, message(1)).await;
    assert_eq!(answer.code(), UNAVAILABLE);
}

#[tokio::test]
async fn headers_over_the_limit_fail_one_call_and_not_the_connection() {
    let office = Office::start(|request, mut respond| async move {
        if request.uri().path() == UNARY {
            return echo(request, respond).await;
        }
        let mut response = head();
        response.headers_mut().insert("fat", "x".repeat(100 * 1024).parse().unwrap());
        let _ = respond.send_response(response, true);
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    assert_eq!(caller.call(BOTH, message(1)).await.code(), 13);
    assert_eq!(caller.call(UNARY, message(1)).await.code(), 0);
    assert_eq!(office.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_caller_that_sends_garbage_harms_only_itself() {
    let office = Office::start(echo).await;
    let bus = Bus::before(&[office.address]).await;
    let mut stranger = TcpStream::connect(bus.address).await.unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\nmore than a preface").await.unwrap();
    // Closed, perhaps with a word, perhaps with a reset.
    let _ = soon(stranger.read_to_end(&mut Vec::new())).await;
    let caller = Caller::connect(bus.address).await;
    let (response, mut stream) = caller.start(request(UNARY)).await;
    stream.send_data(Bytes::from_static(b"\x07not a gRPC message at all"), true).unwrap();
    let answer = soon(whole(response)).await.unwrap();
    assert_eq!(answer.code(), 8, "its prefix announces a gigabyte");
    assert_eq!(caller.call(UNARY, message(1)).await.code(), 0);
}
