//! One connection to a server, for one call: a request after the other, and the truth about what was sent.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use passerelle_adapter::Fault;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::server::Server;

/// What is read of an answer that should be short, in bytes.
pub(super) const SHORT: usize = 64 << 10;

/// A request's body.
pub(super) type Body = BoxBody<Bytes, Cut>;

/// The content broke off: the request must not look complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the content broke off")
    }
}

impl std::error::Error for Cut {}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// Not one byte went out.
    NotSent(String),
    /// It went out, or some of it did.
    Lost(String),
}

impl Broken {
    /// The fault, of a request that changes nothing that anybody sees.
    pub(super) fn harmless(self) -> Fault {
        match self {
            Self::NotSent(why) | Self::Lost(why) => Fault::unavailable(why),
        }
    }
}

/// A request without its path.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: &'static str,
    pub(super) path: &'a str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

/// An answer that was read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// One connection, closed when dropped.
pub(super) struct Line {
    server: Arc<Server>,
    sender: Option<SendRequest<Body>>,
    /// Reads and writes the connection; ended when dropped.
    running: JoinSet<()>,
    _place: OwnedSemaphorePermit,
}

impl Line {
    /// Nothing is connected before something is sent.
    pub(super) async fn new(server: Arc<Server>) -> Result<Self, Fault> {
        let place = server.place().await?;
        Ok(Self { server, sender: None, running: JoinSet::new(), _place: place })
    }

    pub(super) fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// Asks, and reads an answer of at most `most` bytes.
    pub(super) async fn ask(&mut self, ask: Ask<'_>, most: usize) -> Result<Answer, Broken> {
        let request =
            self.request(ask.method, ask.path, ask.headers, Full::new(ask.body).map_err(|never| match never {}).boxed());
        let patience = self.server.answer_timeout;
        let response = timeout(patience, self.send(request?)).await.map_err(|_| self.silent())??;
        self.whole(response, most).await
    }

    /// Asks, and gives the answer as it begins.
    pub(super) async fn begin(&mut self, ask: Ask<'_>) -> Result<Response<Incoming>, Broken> {
        let request =
            self.request(ask.method, ask.path, ask.headers, Full::new(ask.body).map_err(|never| match never {}).boxed())?;
        timeout(self.server.answer_timeout, self.send(request)).await.map_err(|_| self.silent())?
    }

    /// As [`Line::ask`], with a body that takes its time.
    pub(super) async fn upload(
        &mut self,
        path: &str,
        headers: Vec<(&'static str, String)>,
        body: Body,
    ) -> Result<Answer, Broken> {
        let request = self.request("PUT", path, headers, body)?;
        let response = self.send(request).await?;
        self.whole(response, SHORT).await
    }

    fn request(
        &self,
        method: &'static str,
        path: &str,
        headers: Vec<(&'static str, String)>,
        body: Body,
    ) -> Result<Request<Body>, Broken> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.server.authority);
        request = request.header(USER_AGENT, HeaderValue::from_static("passerelle"));
        if let Some(authorization) = &self.server.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(body).map_err(|error| Broken::NotSent(format!("the request cannot be written: {error}")))
    }

    async fn send(&mut self, request: Request<Body>) -> Result<Response<Incoming>, Broken> {
        let mut kept = self.sender.take();
        if let Some(sender) = &mut kept
            && sender.ready().await.is_err()
        {
            kept = None;
        }
        let mut sender = match kept {
            Some(sender) => sender,
            None => self.connect().await.map_err(|why| Broken::NotSent(format!("{}: {why}", self.server.address)))?,
        };
        let response = sender.send_request(request).await.map_err(|error| {
            let why = format!("{}: {error}", self.server.address);
            if error.is_canceled() { Broken::NotSent(why) } else { Broken::Lost(why) }
        })?;
        self.sender = Some(sender);
        Ok(response)
    }

    async fn connect(&mut self) -> Result<SendRequest<Body>, String> {
        let server = self.server.clone();
        let connecting = async {
            let stream = TcpStream::connect(&server.address).await.map_err(|error| error.to_string())?;
            stream.set_nodelay(true).map_err(|error| error.to_string())?;
            match &server.tls {
                None => self.shake(TokioIo::new(stream)).await,
                Some(tls) => {
                    let stream = tls.wrap(&server.address, stream).await.map_err(|error| format!("TLS: {error}"))?;
                    self.shake(TokioIo::new(stream)).await
                }
            }
        };
        let late = format!("not connected within {} ms", server.connect_timeout.as_millis());
        timeout(server.connect_timeout, connecting).await.map_err(|_| late)?
    }

    async fn shake<S>(&mut self, stream: S) -> Result<SendRequest<Body>, String>
    where
        S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let (sender, connection) = handshake(stream).await.map_err(|error| error.to_string())?;
        self.running.abort_all();
        self.running.spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    async fn whole(&mut self, response: Response<Incoming>, most: usize) -> Result<Answer, Broken> {
        let (head, mut body) = response.into_parts();
        let mut whole = BytesMut::new();
        while let Some(frame) = next(&mut body, self.server.answer_timeout).await {
            whole.extend_from_slice(&frame.map_err(|why| Broken::Lost(format!("{}: {why}", self.server.address)))?);
            if whole.len() > most {
                let address = &self.server.address;
                return Err(Broken::Lost(format!("{address}: the answer is longer than {most} bytes, the limit")));
            }
        }
        Ok(Answer { status: head.status, headers: head.headers, body: whole.freeze() })
    }

    fn silent(&mut self) -> Broken {
        self.sender = None;
        self.running.abort_all();
        Broken::Lost(format!("{}: no answer within {} ms", self.server.address, self.server.answer_timeout.as_millis()))
    }
}

/// The next bytes of an answer.
pub(super) async fn next(body: &mut Incoming, patience: Duration) -> Option<Result<Bytes, String>> {
    loop {
        match timeout(patience, body.frame()).await {
            Err(_) => return Some(Err(format!("silent for {} ms within an answer", patience.as_millis()))),
            Ok(None) => return None,
            Ok(Some(Err(error))) => return Some(Err(error.to_string())),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Some(Ok(data));
                }
            }
        }
    }
}
