//! A back office that answers every call with its own name and the request as it came.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::{SendResponse, handshake};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The contract that all offices speak.
pub(super) const CONTRACT: &str = r#"
syntax = "proto3";
package desk.v1;
message Asked { string name = 1; int64 amount = 2; Customer customer = 3; string secret = 4; }
message Customer { string segment = 1; string birth_date = 2; }
message Told { string office = 1; Asked asked = 2; string method = 3; }
service Desk { rpc Ask(Asked) returns (Told); rpc Tell(Asked) returns (Told); }
"#;

/// A running office; dropped, it cuts every connection.
pub(super) struct Office {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<Bytes>>>,
    arrived: watch::Receiver<usize>,
    /// Answers wait while this is `false`.
    pub(super) open: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl Office {
    pub(super) async fn start(name: &'static str) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (open, opened) = watch::channel(true);
        let (arrivals, arrived) = watch::channel(0);
        let desk = Desk { name, seen: seen.clone(), arrivals: Arc::new(arrivals), opened };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = socket.accept().await.unwrap();
                connections.spawn(desk.clone().serve(stream));
            }
        });
        Self { address, seen, arrived, open, _tasks: tasks }
    }

    /// Waits until so many calls have come, and gives their messages.
    pub(super) async fn seen(&mut self, calls: usize) -> Vec<Bytes> {
        self.arrived.wait_for(|count| *count >= calls).await.unwrap();
        self.seen.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Desk {
    name: &'static str,
    seen: Arc<Mutex<Vec<Bytes>>>,
    arrivals: Arc<watch::Sender<usize>>,
    opened: watch::Receiver<bool>,
}

impl Desk {
    async fn serve(self, stream: TcpStream) {
        let Ok(mut connection) = handshake(stream).await else { return };
        let mut calls = JoinSet::new();
        while let Some(Ok((request, respond))) = connection.accept().await {
            calls.spawn(self.clone().answer(request, respond));
        }
    }

    async fn answer(mut self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let method = request.uri().path().to_owned();
        let mut body = request.into_body();
        let mut asked = BytesMut::new();
        while let Some(Ok(data)) = body.data().await {
            let _ = body.flow_control().release_capacity(data.len());
            asked.put(data);
        }
        let asked = asked.freeze().slice(5..);
        self.seen.lock().unwrap().push(asked.clone());
        self.arrivals.send_modify(|count| *count += 1);
        let _ = self.opened.wait_for(|open| *open).await;
        let mut told = BytesMut::new();
        for (number, bytes) in [(1, self.name.as_bytes()), (2, &asked), (3, method.as_bytes())] {
            assert!(bytes.len() < 128, "a short message");
            told.put_slice(&[number << 3 | 2, bytes.len() as u8]);
            told.put_slice(bytes);
        }
        let mut frame = BytesMut::from(&[0][..]);
        frame.put_u32(told.len() as u32);
        frame.put(told);
        let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
        if let Ok(stream) = respond.send_response(head, false) {
            end(stream, frame.freeze());
        }
    }
}

fn end(mut stream: SendStream<Bytes>, message: Bytes) {
    let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
    let _ = stream.send_data(message, false).and_then(|()| stream.send_trailers(trailers));
}
