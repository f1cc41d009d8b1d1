//! A server on raw HTTP/2 whose faults are the point: it does to every call what it is told to do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::{SendResponse, handshake};
use h2::{Reason, RecvStream};
use http::{HeaderMap, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What is done to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is answered with the request's own bytes.
    None,
    /// So, after that time.
    Slow(Duration),
    /// It is taken, and nothing follows.
    Silent,
    /// Half a message is answered, and nothing follows.
    Stuck,
    /// Not even its message is read.
    Deaf,
    /// An outcome and nothing else, with this much to say about when to come back.
    Refused { code: u8, pushback: Option<&'static str> },
    /// The connection ends under it.
    HangUp,
    /// An answer that is not what it says it is.
    Lie(Lie),
}

/// Answers that are not what they say they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    NoTrailers,
    NoMessage,
    NoMessageInTwoFrames,
    HalfMessage,
    TwoMessages,
    Html,
    Json,
    NoStatusInTrailers,
    StatusThatIsNone,
    /// An error with its details, in one header frame: unusual and true.
    ErrorInHeaders,
    /// OK, and a message that says that it went wrong: only the contract knows.
    ErrorInMessage,
}

/// A running server; dropped, it cuts every connection.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    told: Arc<Mutex<Fault>>,
    /// When each call came.
    arrivals: Arc<Mutex<Vec<Instant>>>,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(super) async fn start(fault: Fault) -> Self {
        Self::on("127.0.0.1:0".parse().unwrap(), fault).await
    }

    pub(super) async fn on(address: SocketAddr, fault: Fault) -> Self {
        let socket = TcpListener::bind(address).await.unwrap();
        let address = socket.local_addr().unwrap();
        let (told, arrivals, connections) =
            (Arc::new(Mutex::new(fault)), Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        let (tell, arrived, counted) = (told.clone(), arrivals.clone(), connections.clone());
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = socket.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                open.spawn(serve(stream, tell.clone(), arrived.clone()));
                while open.try_join_next().is_some() {}
            }
        });
        Self { address, told, arrivals, connections, _tasks: tasks }
    }

    pub(super) fn tell(&self, fault: Fault) {
        *self.told.lock().unwrap() = fault;
    }

    pub(super) fn arrivals(&self) -> Vec<Instant> {
        self.arrivals.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, told: Arc<Mutex<Fault>>, arrivals: Arc<Mutex<Vec<Instant>>>) {
    let Ok(mut connection) = handshake(stream).await else { return };
    let mut calls = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        arrivals.lock().unwrap().push(Instant::now());
        let fault = *told.lock().unwrap();
        if fault == Fault::HangUp {
            return;
        }
        calls.spawn(async move {
            // What becomes of the call is seen by its caller.
            let _ = answer(fault, request.into_parts().1, respond).await;
        });
        while calls.try_join_next().is_some() {}
    }
}

async fn answer(fault: Fault, mut body: RecvStream, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    if fault == Fault::Deaf {
        return wait_for_reset(&mut respond).await;
    }
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        message.extend_from_slice(&data);
    }
    match fault {
        Fault::Slow(pause) => {
            // Until then, or until the caller gives up.
            let _ = tokio::time::timeout(pause, wait_for_reset(&mut respond)).await;
        }
        Fault::Silent => return wait_for_reset(&mut respond).await,
        Fault::Stuck => {
            let mut stream = respond.send_response(head(), false)?;
            stream.send_data(Bytes::copy_from_slice(&message[..message.len() / 2]), false)?;
            std::future::poll_fn(|context| stream.poll_reset(context)).await?;
            return Ok(());
        }
        Fault::Refused { code, pushback } => {
            let mut response = head();
            response.headers_mut().extend(trailers(code, pushback));
            respond.send_response(response, true)?;
            return Ok(());
        }
        Fault::Lie(lie) => return tell_lie(lie, message.into(), respond),
        Fault::None | Fault::Deaf | Fault::HangUp => {}
    }
    let mut stream = respond.send_response(head(), false)?;
    stream.send_data(message.into(), false)?;
    stream.send_trailers(trailers(0, None))
}

async fn wait_for_reset(respond: &mut SendResponse<Bytes>) -> Result<(), h2::Error> {
    std::future::poll_fn(|context| respond.poll_reset(context)).await.map(|_: Reason| ())
}

fn tell_lie(lie: Lie, message: Bytes, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let plain = |kind: &str| Response::builder().header("content-type", kind).body(()).unwrap();
    let mut whole = head();
    let (head, data, end) = match lie {
        Lie::NoTrailers => (head(), Some(message), None),
        Lie::NoMessage => {
            whole.headers_mut().extend(trailers(0, None));
            (whole, None, None)
        }
        Lie::NoMessageInTwoFrames => (head(), None, Some(trailers(0, None))),
        Lie::HalfMessage => (head(), Some(message.slice(..message.len() / 2)), Some(trailers(0, None))),
        Lie::TwoMessages => (head(), Some([message.clone(), message].concat().into()), Some(trailers(0, None))),
        Lie::Html => (plain("text/html"), Some("<h1>It works!</h1>".into()), None),
        Lie::Json => (plain("application/json"), Some(r#"{"error":"no"}"#.into()), None),
        Lie::NoStatusInTrailers => (head(), Some(message), Some(HeaderMap::new())),
        Lie::StatusThatIsNone => (
            head(),
            Some(message),
            Some(HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), "fine".parse().unwrap())])),
        ),
        Lie::ErrorInHeaders => {
            whole.headers_mut().extend(trailers(9, None));
            whole.headers_mut().insert("grpc-message", "the account is closed".parse().unwrap());
            // A google.rpc.Status: code 9.
            whole.headers_mut().insert("grpc-status-details-bin", "CAk".parse().unwrap());
            (whole, None, None)
        }
        Lie::ErrorInMessage => (head(), Some(Bytes::from_static(b"\0\0\0\0\x07\x0a\x05ERROR")), Some(trailers(0, None))),
    };
    let mut stream = respond.send_response(head, data.is_none() && end.is_none())?;
    if let Some(data) = data {
        stream.send_data(data, end.is_none())?;
    }
    end.map_or(Ok(()), |end| stream.send_trailers(end))
}

fn head() -> Response<()> {
    Response::builder().header("content-type", "application/grpc").body(()).unwrap()
}

fn trailers(code: u8, pushback: Option<&'static str>) -> HeaderMap {
    let status = (http::HeaderName::from_static("grpc-status"), u16::from(code).into());
    let pushback = pushback.map(|text| (http::HeaderName::from_static("grpc-retry-pushback-ms"), text.parse().unwrap()));
    HeaderMap::from_iter([Some(status), pushback].into_iter().flatten())
}
