//! A server: where it is, and one request to it over a connection of its own; trytond closes each after its answer.

use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::handshake;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use passerelle_adapter::Fault;
use passerelle_adapter_tls::Tls;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::file::TrytonSettings;

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 16 << 20;

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// Not one byte went out.
    NotSent(Fault),
    /// It went out, or some of it did.
    Lost(String),
}

/// An answer that was read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A trytond and the way to it.
pub(super) struct Server {
    /// As in the `Host` header.
    authority: String,
    /// `name:port` to connect to.
    pub(super) address: String,
    /// What stands before the database's name in paths.
    base: String,
    database: String,
    tls: Option<Tls>,
    connect_timeout: Duration,
    pub(super) answer_timeout: Duration,
    connections: Semaphore,
}

impl Server {
    /// Reads what the integrator wrote; `path` is his file.
    pub(super) fn new(path: &Path, settings: &TrytonSettings) -> Result<Self, String> {
        let uri: Uri = settings.url.parse().map_err(|error| format!("tryton.url: {error}"))?;
        let host = uri.host().ok_or("tryton.url has no host: write `https://name/`")?.to_owned();
        if uri.query().is_some() || settings.url.contains(['@', '#']) {
            return Err("tryton.url takes a host and a path, nothing else: credentials stand in `credentials`".to_owned());
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if settings.database.is_empty() || !settings.database.chars().all(plain) {
            return Err("tryton.database is a name of a-z, A-Z, 0-9, `_`, `-` and `.`".to_owned());
        }
        let (tls, usual_port) = match (uri.scheme_str(), &settings.tls) {
            (Some("https"), Some(tls)) => (Some(Tls::load(path, "tryton.tls", tls, Some(host.trim_matches(['[', ']'])))?), 443),
            (Some("https"), None) => return Err("tryton.tls is missing: `https` needs `tls: { ca: … }`".to_owned()),
            (Some("http"), Some(_)) => return Err("tryton.tls belongs to `https`, tryton.url is `http`".to_owned()),
            (Some("http"), None) => (None, 80),
            _ => return Err("tryton.url begins with `http://` or `https://`".to_owned()),
        };
        Ok(Self {
            authority: uri.authority().map(ToString::to_string).unwrap_or_default(),
            address: format!("{host}:{}", uri.port_u16().unwrap_or(usual_port)),
            base: uri.path().trim_end_matches('/').to_owned(),
            database: settings.database.clone(),
            tls,
            connect_timeout: Duration::from_millis(settings.connect_timeout_ms.into()),
            answer_timeout: Duration::from_millis(settings.answer_timeout_ms.into()),
            connections: Semaphore::new(settings.connections as usize),
        })
    }

    /// The database's path, with what comes after it.
    pub(super) fn path(&self, inner: &str) -> String {
        format!("{}/{}/{inner}", self.base, self.database)
    }

    /// One request, and its answer read whole.
    pub(super) async fn post(&self, path: &str, authorization: Option<&HeaderValue>, body: Vec<u8>) -> Result<Answer, Broken> {
        let place = timeout(self.connect_timeout, self.connections.acquire()).await;
        let _place = place.ok().and_then(Result::ok).ok_or_else(|| {
            let message = format!("{}: every connection is in use", self.address);
            Broken::NotSent(Fault::Throttled { retry_after: self.connect_timeout, message })
        })?;
        let mut request = Request::post(path).header(HOST, &self.authority).header(CONTENT_TYPE, "application/json");
        request = request.header(USER_AGENT, HeaderValue::from_static("passerelle"));
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(Bytes::from(body)));
        let request = request.map_err(|error| not_sent(format!("the request cannot be written: {error}")))?;
        let connected = timeout(self.connect_timeout, TcpStream::connect(&self.address)).await;
        let late = || not_sent(format!("{}: not connected within {} ms", self.address, self.connect_timeout.as_millis()));
        let refused = |error: std::io::Error| not_sent(format!("{}: {error}", self.address));
        let stream = connected.map_err(|_| late())?.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        match &self.tls {
            None => self.exchange(TokioIo::new(stream), request).await,
            Some(tls) => {
                let wrapped = timeout(self.connect_timeout, tls.wrap(&self.address, stream)).await.map_err(|_| late())?;
                let stream = wrapped.map_err(|error| not_sent(format!("{}: TLS: {error}", self.address)))?;
                self.exchange(TokioIo::new(stream), request).await
            }
        }
    }

    async fn exchange<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Broken>
    where
        S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let (mut sender, connection) = handshake(stream).await.map_err(|error| not_sent(format!("{}: {error}", self.address)))?;
        // Ended when this is dropped.
        let mut running = JoinSet::new();
        running.spawn(async move { drop(connection.await) });
        let exchanged = timeout(self.answer_timeout, async {
            let lost = |error: hyper::Error| Broken::Lost(format!("{}: {error}", self.address));
            let (head, mut body) = sender.send_request(request).await.map_err(lost)?.into_parts();
            let mut whole = BytesMut::new();
            while let Some(frame) = body.frame().await {
                whole.extend_from_slice(frame.map_err(lost)?.data_ref().map_or(&[][..], |data| data));
                if whole.len() > LONGEST_ANSWER {
                    let why = format!("{}: the answer is longer than {LONGEST_ANSWER} bytes, the limit", self.address);
                    return Err(Broken::Lost(why));
                }
            }
            Ok(Answer { status: head.status, headers: head.headers, body: whole.freeze() })
        });
        let silent = || Broken::Lost(format!("{}: no whole answer within {} ms", self.address, self.answer_timeout.as_millis()));
        exchanged.await.map_err(|_| silent())?
    }
}

fn not_sent(why: String) -> Broken {
    Broken::NotSent(Fault::unavailable(why))
}
