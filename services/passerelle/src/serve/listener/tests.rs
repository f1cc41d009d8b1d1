//! The port with strangers on it: silent, slow, noisy, or in the middle of a drain.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[derive(Clone)]
struct Hello;

impl Service for Hello {
    async fn answer(&self, _request: Request<Incoming>) -> Response<Body> {
        Response::new(Body::Text(Some("hello\n".into())))
    }
}

/// A port that gives a newcomer this long.
async fn running(handshake: Duration) -> (SocketAddr, Running) {
    let limits = ListenerLimits { connections: 10, streams_per_connection: 10, metadata_bytes: 16 * 1024, handshake };
    let listener = Listener::bind("test", "127.0.0.1:0".parse().unwrap(), None, limits).await.unwrap();
    (listener.address(), listener.run(Hello))
}

const SOON: Duration = Duration::from_millis(50);
const LATE: Duration = Duration::from_secs(600);
/// What a test waits at most before it fails.
const PATIENCE: Duration = Duration::from_secs(10);

async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut seen = Vec::new();
    // Closed with a word, or with a reset.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut seen)).await.expect("the connection stays open");
    seen
}

#[tokio::test]
async fn a_connection_that_does_not_come_to_the_point_is_closed() {
    let (address, _running) = running(SOON).await;
    for beginning in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        until_closed(&mut stream).await;
    }
}

#[tokio::test]
async fn a_connection_that_came_to_the_point_may_then_be_silent() {
    let (address, _running) = running(SOON).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    // The time has passed when one who came later has been closed.
    until_closed(&mut TcpStream::connect(address).await.unwrap()).await;
    assert!(!connection.is_finished());
    let request = Request::get("http://test/").body(()).unwrap();
    let (response, _) = sender.ready().await.unwrap().send_request(request, true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
}

#[tokio::test]
async fn http1_is_answered_once_and_again() {
    let (address, _running) = running(LATE).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut seen = String::new();
        while !seen.ends_with("\r\n\r\nhello\n") {
            let mut bytes = [0; 256];
            let count = tokio::time::timeout(PATIENCE, stream.read(&mut bytes)).await.unwrap().unwrap();
            seen.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        assert!(seen.starts_with("HTTP/1.1 200 OK\r\n") && seen.contains("content-length: 6\r\n"), "{seen}");
    }
}

#[tokio::test]
async fn garbage_is_answered_and_closed() {
    let (address, _running) = running(LATE).await;
    for garbage in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nno frame at all"]
    {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        assert!(!until_closed(&mut stream).await.is_empty());
    }
}

#[tokio::test]
async fn a_drain_does_not_wait_for_those_who_say_nothing() {
    let (address, running) = running(LATE).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"PRI * HTTP").await.unwrap();
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    idle.readable().await.unwrap();
    assert!(tokio::time::timeout(PATIENCE, running.drain(LATE)).await.expect("the drain waits"));
    for stream in [&mut silent, &mut half, &mut idle] {
        until_closed(stream).await;
    }
}

#[tokio::test]
async fn an_answer_is_not_lost_when_requests_cross_the_goodbye() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut peer = TcpStream::connect(socket.local_addr().unwrap()).await.unwrap();
    let (ours, _) = socket.accept().await.unwrap();
    peer.write_all(b"a request that nobody will read").await.unwrap();
    ours.readable().await.unwrap();
    let (mut lent, returned) = lingering::lend(ours);
    lent.write_all(b"answer").await.unwrap();
    drop(lent);
    let closing = tokio::spawn(returned.linger());
    let mut seen = Vec::new();
    peer.read_to_end(&mut seen).await.expect("the connection was reset");
    assert_eq!(seen, b"answer");
    drop(peer);
    closing.await.unwrap();
}
