//! Laws of the pool and of the `tcp` transport, with peers that misbehave.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use passerelle_adapter::{Fault, Health};
use passerelle_copybook::CodePage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::peer::{Peer, echo, pool, read_message, refusing_address, request, write_message};
use super::tcp::Tcp;
use super::{Request, Transport};
use crate::connection::PoolSettings;
use crate::file::Framing;
use crate::transport::sockets::Sockets;

fn tcp(settings: PoolSettings) -> Sockets<Tcp> {
    let dialect = Tcp { framing: Framing::default(), code_page: CodePage::Ibm1047, response_limit_bytes: 100_000 };
    Sockets::start(dialect, settings)
}

fn check(result: Result<Bytes, Fault>, address: &str, expected: Expect) {
    let text = match result {
        Ok(answer) => format!("answer {answer:?}"),
        Err(fault) => format!("{fault:?}"),
    };
    expected.assert_eq(&text.replace(address, "HOST"));
}

#[tokio::test]
async fn calls_one_after_the_other_share_a_connection() {
    let peer = Peer::start(|_, stream| echo(stream)).await;
    let host = tcp(pool(&[&peer.address]));
    for _ in 0..3 {
        assert_eq!(host.exchange(&request(b"abc")).await.unwrap(), "abc");
    }
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn a_long_answer_arrives_whole() {
    static LONG: [u8; 99_000] = [7; 99_000];
    let peer = Peer::start(|_, stream| echo(stream)).await;
    let host = tcp(pool(&[&peer.address]));
    assert_eq!(host.exchange(&request(&LONG)).await.unwrap(), LONG[..]);
}

#[tokio::test]
async fn a_connection_that_the_host_closed_while_unused_is_not_used() {
    let mut peer = Peer::start(|_, mut stream| async move {
        let body = read_message(&mut stream).await.unwrap();
        write_message(&mut stream, &body).await;
    })
    .await;
    let host = tcp(pool(&[&peer.address]));
    for _ in 0..3 {
        assert_eq!(host.exchange(&request(b"abc")).await.unwrap(), "abc");
        peer.a_close().await;
    }
    assert_eq!(peer.accepted(), 3);
}

#[tokio::test]
async fn a_connection_on_which_the_host_said_something_unasked_is_not_used() {
    let (said, mut heard) = mpsc::unbounded_channel();
    let peer = Peer::start(move |_, mut stream| {
        let said = said.clone();
        async move {
            let body = read_message(&mut stream).await.unwrap();
            write_message(&mut stream, &body).await;
            stream.write_all(b"late").await.unwrap();
            let _ = said.send(());
            let _ = stream.read_u8().await;
        }
    })
    .await;
    let host = tcp(pool(&[&peer.address]));
    for _ in 0..2 {
        assert_eq!(host.exchange(&request(b"abc")).await.unwrap(), "abc");
        heard.recv().await.unwrap();
    }
    assert_eq!(peer.accepted(), 2);
}

/// A peer that reads the request, sends `bytes` and hangs up; from its second connection on it is sound.
async fn faulty(bytes: &'static [u8]) -> Peer {
    Peer::start(move |number, mut stream| async move {
        if number > 0 {
            return echo(stream).await;
        }
        read_message(&mut stream).await.unwrap();
        stream.write_all(bytes).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn after_the_request_was_sent_a_broken_exchange_has_an_unknown_effect() {
    let cases: [(&[u8], Expect); 5] = [
        (b"", expect![[r#"Unknown { message: "HOST: the host closed the connection, 4 bytes of its answer are missing" }"#]]),
        (b"\0\0", expect![[r#"Unknown { message: "HOST: the host closed the connection, 2 bytes of its answer are missing" }"#]]),
        (
            b"\0\0\0\x08ab",
            expect![[r#"Unknown { message: "HOST: the host closed the connection, 2 bytes of its answer are missing" }"#]],
        ),
        (
            b"\0\0\0\x02ab",
            expect![[r#"Unknown { message: "HOST: its length field says 2, less than the 4 bytes of the field itself" }"#]],
        ),
        (
            b"\xff\xff\xff\xffab",
            expect![[r#"Unknown { message: "HOST: the answer claims 4294967291 bytes, response_limit_bytes is 100000" }"#]],
        ),
    ];
    for (bytes, expected) in cases {
        let peer = faulty(bytes).await;
        let host = tcp(pool(&[&peer.address]));
        check(host.exchange(&request(b"abc")).await, &peer.address, expected);
        assert_eq!(peer.accepted(), 1, "it was not tried again");
        assert_eq!(host.exchange(&request(b"abc")).await.unwrap(), "abc");
        assert_eq!(peer.accepted(), 2, "the broken connection was not used again");
    }
}

#[tokio::test]
async fn an_idempotent_operation_is_tried_once_more_on_another_connection() {
    let peer = faulty(b"\0\0\0\x08ab").await;
    let host = tcp(pool(&[&peer.address]));
    let answer = host.exchange(&Request { idempotent: true, ..request(b"abc") }).await;
    assert_eq!(answer.unwrap(), "abc");

    let hopeless = Peer::start(|_, mut stream| async move { drop(read_message(&mut stream).await) }).await;
    let host = tcp(pool(&[&hopeless.address]));
    let answer = host.exchange(&Request { idempotent: true, ..request(b"abc") }).await;
    assert!(matches!(answer, Err(Fault::Unknown { .. })));
    assert_eq!(hopeless.accepted(), 2);
}

#[tokio::test]
async fn a_refusing_address_is_passed_over() {
    let peer = Peer::start(|_, stream| echo(stream)).await;
    let refusing = refusing_address().await;
    let host = tcp(pool(&[&refusing, &peer.address]));
    assert_eq!(host.exchange(&request(b"abc")).await.unwrap(), "abc");
    assert_eq!(host.health().await, Health::Degraded { reason: format!("{refusing}: Connection refused (os error 111)") });
}

#[tokio::test]
async fn without_any_address_nothing_happened_and_the_words_name_them() {
    let refusing = refusing_address().await;
    let host = tcp(pool(&[&refusing]));
    let Err(Fault::Unavailable { retry_after: Some(pause), message }) = host.exchange(&request(b"abc")).await else { panic!() };
    assert!(pause <= Duration::from_millis(200));
    expect!["no address can be connected: HOST: Connection refused (os error 111)"]
        .assert_eq(&message.replace(&refusing, "HOST"));
    assert!(matches!(host.health().await, Health::Down { .. }));
}

#[tokio::test]
async fn a_host_that_does_not_answer_in_time_is_given_up_with_its_connection() {
    let mut peer = Peer::start(|number, mut stream| async move {
        if number > 0 {
            return echo(stream).await;
        }
        read_message(&mut stream).await.unwrap();
        assert!(stream.read_u8().await.is_err(), "the client hangs up");
    })
    .await;
    let host = tcp(pool(&[&peer.address]));
    let soon = Request { deadline: Instant::now() + Duration::from_millis(50), idempotent: true, ..request(b"abc") };
    check(
        host.exchange(&soon).await,
        &peer.address,
        expect![[r#"DeadlineExceeded { message: "ACCTINQ did not answer in time" }"#]],
    );
    peer.a_close().await;
    assert_eq!(host.exchange(&request(b"abc")).await.unwrap(), "abc");
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test]
async fn a_cancelled_call_closes_its_connection_and_frees_its_place() {
    let got_it = Arc::new(Notify::new());
    let tell = Arc::clone(&got_it);
    let mut peer = Peer::start(move |number, mut stream| {
        let tell = Arc::clone(&tell);
        async move {
            if number > 0 {
                return echo(stream).await;
            }
            read_message(&mut stream).await.unwrap();
            tell.notify_one();
            assert!(stream.read_u8().await.is_err(), "the client hangs up");
        }
    })
    .await;
    let host = Arc::new(tcp(PoolSettings { max: 1, ..pool(&[&peer.address]) }));
    let calling = Arc::clone(&host);
    let call = tokio::spawn(async move { calling.exchange(&request(b"abc")).await });
    got_it.notified().await;
    call.abort();
    peer.a_close().await;
    assert_eq!(host.exchange(&request(b"abc")).await.unwrap(), "abc");
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test]
async fn no_more_connections_are_opened_than_allowed_and_the_queue_has_an_end() {
    let (got, mut requests) = mpsc::unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let gate = Arc::clone(&go_on);
    let peer = Peer::start(move |_, mut stream: TcpStream| {
        let (got, gate) = (got.clone(), Arc::clone(&gate));
        async move {
            while let Some(body) = read_message(&mut stream).await {
                let _ = got.send(());
                gate.notified().await;
                write_message(&mut stream, &body).await;
            }
        }
    })
    .await;
    let host = Arc::new(tcp(PoolSettings { max: 1, waiting_max: 1, ..pool(&[&peer.address]) }));
    let call = |host: Arc<Sockets<Tcp>>| async move { host.exchange(&request(b"abc")).await };
    let first = tokio::spawn(call(Arc::clone(&host)));
    requests.recv().await.unwrap();
    let mut second = Box::pin(call(Arc::clone(&host)));
    assert!(tokio::time::timeout(Duration::ZERO, &mut second).await.is_err(), "it waits");
    check(
        call(Arc::clone(&host)).await,
        &peer.address,
        expect![[
            r#"Throttled { retry_after: 250ms, message: "all 1 connections are in use and 1 calls wait already (pool.max, pool.waiting_max)" }"#
        ]],
    );

    go_on.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), "abc");
    go_on.notify_one();
    assert_eq!(second.await.unwrap(), "abc");
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn an_unused_connection_is_closed_after_a_while() {
    let mut peer = Peer::start(|_, stream| echo(stream)).await;
    let host = tcp(PoolSettings { idle: Duration::from_millis(20), ..pool(&[&peer.address]) });
    assert_eq!(host.exchange(&request(b"abc")).await.unwrap(), "abc");
    peer.a_close().await;
    assert_eq!(host.health().await, Health::Ready);
}

#[tokio::test]
async fn a_drained_host_closes_its_connections_and_takes_no_more_calls() {
    let mut peer = Peer::start(|_, stream| echo(stream)).await;
    let host = tcp(pool(&[&peer.address]));
    assert_eq!(host.exchange(&request(b"abc")).await.unwrap(), "abc");
    host.drain(Duration::from_secs(10)).await;
    peer.a_close().await;
    check(
        host.exchange(&request(b"abc")).await,
        &peer.address,
        expect![[r#"Unavailable { retry_after: None, message: "the adapter is draining" }"#]],
    );
}
