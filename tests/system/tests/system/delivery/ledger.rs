//! A back office that keeps a ledger: every call, and what it did. It outlives its own servers, as a database would.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::{BufMut, Bytes, BytesMut};
use h2::RecvStream;
use h2::server::{SendResponse, handshake};
use http::{HeaderMap, HeaderName, Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(super) const CONTRACT: &str = r#"
syntax = "proto3";
package ledger.v1;
message Entry { int64 number = 1; string text = 2; }
message Booked { }
service Ledger {
  rpc Book(Entry) returns (Booked);
  rpc Put(Entry) returns (Booked) { option idempotency_level = IDEMPOTENT; }
  rpc Follow(stream Entry) returns (stream Booked);
}
"#;

/// What the office does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Its effect, then OK.
    Books,
    /// Its effect, and the connection ends before anything is said.
    BooksAndHangsUp,
    /// Nothing, and nothing is said.
    Hangs,
    /// An outcome and nothing else.
    Says { code: u8, pushback: Option<&'static str> },
}

/// What has happened there.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Metadata and request of every call.
    pub(super) calls: Vec<(HeaderMap, Bytes)>,
    /// How often each message had its effect, by its id.
    pub(super) effects: BTreeMap<String, u32>,
    /// Ids in the order of their first effects, by customer.
    pub(super) order: BTreeMap<String, Vec<u64>>,
    keys: BTreeSet<String>,
}

/// The office. Calls are told apart by their idempotency key where it `knows_keys`.
#[derive(Clone)]
pub(super) struct Ledger {
    book: Arc<Mutex<Book>>,
    knows_keys: bool,
    manner: Arc<Mutex<Manner>>,
    calls: Arc<watch::Sender<usize>>,
}

/// One of its servers; dropped, it cuts every connection.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Ledger {
    pub(super) fn new(knows_keys: bool) -> Self {
        let (manner, calls) = (Arc::new(Mutex::new(Manner::Books)), Arc::new(watch::Sender::new(0)));
        Self { book: Arc::default(), knows_keys, manner, calls }
    }

    pub(super) fn be(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// Waits until so many calls have come.
    pub(super) async fn called(&self, count: usize) {
        self.calls.subscribe().wait_for(|calls| *calls >= count).await.unwrap();
    }

    pub(super) async fn serve(&self, address: &str) -> Server {
        let socket = TcpListener::bind(address).await.unwrap();
        let address = socket.local_addr().unwrap();
        let (ledger, mut tasks) = (self.clone(), JoinSet::new());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = socket.accept().await.unwrap();
                connections.spawn(ledger.clone().connected(stream));
            }
        });
        Server { address, _tasks: tasks }
    }

    async fn connected(self, stream: TcpStream) {
        let Ok(mut connection) = handshake(stream).await else { return };
        let (hang_up, mut hung_up) = watch::channel(false);
        let mut calls = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = connection.accept() => accepted,
                _ = hung_up.changed() => return,
            };
            let Some(Ok((request, respond))) = accepted else { return };
            let (ledger, hang_up) = (self.clone(), hang_up.clone());
            calls.spawn(async move {
                if !ledger.answer(request, respond).await {
                    hang_up.send_replace(true);
                }
            });
        }
    }

    /// `false`: the connection is to end.
    async fn answer(self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> bool {
        let (head, mut body) = request.into_parts();
        let mut asked = BytesMut::new();
        while let Some(Ok(data)) = body.data().await {
            let _ = body.flow_control().release_capacity(data.len());
            asked.put(data);
        }
        let manner = *self.manner.lock().unwrap();
        let is_booked = matches!(manner, Manner::Books | Manner::BooksAndHangsUp);
        self.enter(head.headers, asked.freeze().slice(5..), is_booked);
        let (code, pushback) = match manner {
            Manner::BooksAndHangsUp => return false,
            Manner::Hangs => {
                let _ = std::future::poll_fn(|context| respond.poll_reset(context)).await;
                return true;
            }
            Manner::Books => (0, None),
            Manner::Says { code, pushback } => (code, pushback),
        };
        let mut response = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
        let trailers = trailers(code, pushback);
        if code != 0 {
            response.headers_mut().extend(trailers);
            let _ = respond.send_response(response, true);
        } else if let Ok(mut stream) = respond.send_response(response, false) {
            // Whoever is gone is noticed by what does not come.
            let _ = stream.send_data(Bytes::from_static(&[0; 5]), false).and_then(|()| stream.send_trailers(trailers));
        }
        true
    }

    fn enter(&self, headers: HeaderMap, message: Bytes, is_booked: bool) {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let (key, id, customer) = (text("idempotency-key"), text("ce-id"), text("passerelle-customer"));
        let mut book = self.book();
        if is_booked && (book.keys.insert(key) || !self.knows_keys) {
            let effects = book.effects.entry(id.clone()).or_default();
            *effects += 1;
            if *effects == 1
                && let Ok(number) = id.parse()
            {
                book.order.entry(customer).or_default().push(number);
            }
        }
        book.calls.push((headers, message));
        self.calls.send_modify(|calls| *calls += 1);
    }
}

impl Book {
    /// Customers whose messages did not come in their order.
    pub(super) fn overtaken(&self) -> Vec<&str> {
        let disordered = self.order.iter().filter(|(_, numbers)| !numbers.is_sorted());
        disordered.map(|(customer, _)| customer.as_str()).collect()
    }
}

fn trailers(code: u8, pushback: Option<&'static str>) -> HeaderMap {
    let status = (HeaderName::from_static("grpc-status"), u16::from(code).into());
    let pushback = pushback.map(|text| (HeaderName::from_static("grpc-retry-pushback-ms"), text.parse().unwrap()));
    HeaderMap::from_iter([Some(status), pushback].into_iter().flatten())
}
