//! Opening one HTTP/2 connection to a back office.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::super::coalesce::Coalesce;

/// Received and not yet passed on, a stream at most. Small, so that a few slow callers do not fill the connection's window.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// Received and not yet passed on, all streams of a connection at most: 256 callers that read nothing stall the others.
const CONNECTION_WINDOW_BYTES: u32 = 64 * 1024 * 1024;
/// What small DATA frames that wait may cost a connection (each what it is shorter than 256 bytes) before h2 closes it. The
/// windows are the limit here: one slow caller's must not break the connection for all.
const SMALL_FRAMES_BUDGET: usize = CONNECTION_WINDOW_BYTES as usize * 256;
/// Bytes unacknowledged for so long end the connection: a dead peer is noticed without HTTP/2 pings, which gRPC servers
/// answer with "too many pings" when they come more often than every five minutes.
const UNACKNOWLEDGED_LIMIT: Duration = Duration::from_secs(20);

/// Where and how to connect.
#[derive(Debug, Clone)]
pub(super) struct Dialer {
    pub(super) to: SocketAddr,
    pub(super) tls: Option<Tls>,
    pub(super) metadata_bytes: u32,
}

/// How to speak TLS.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) server_name: ServerName<'static>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("TLS was refused: {0}")]
    Tls(io::Error),
    #[error("the server does not offer HTTP/2 (ALPN h2)")]
    NoHttp2,
    #[error("it does not speak HTTP/2: {0}")]
    Handshake(h2::Error),
    #[error("no HTTP/2 answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
}

/// An open connection and the task that drives it.
pub(super) struct Dialed {
    pub(super) sender: SendRequest<Bytes>,
    pub(super) driver: JoinHandle<()>,
}

impl Dialer {
    /// Connects and waits until the peer has answered in HTTP/2, so that a port that merely accepts is not taken for ready.
    pub(super) async fn dial(&self, within: Duration) -> Result<Dialed, DialError> {
        tokio::time::timeout(within, self.open()).await.unwrap_or(Err(DialError::TimedOut(within)))
    }

    async fn open(&self) -> Result<Dialed, DialError> {
        let stream = TcpStream::connect(self.to).await.map_err(DialError::Connect)?;
        stream.set_nodelay(true).map_err(DialError::Connect)?;
        SockRef::from(&stream).set_tcp_user_timeout(Some(UNACKNOWLEDGED_LIMIT)).map_err(DialError::Connect)?;
        match &self.tls {
            None => self.handshake(stream).await,
            Some(tls) => {
                let connector = TlsConnector::from(tls.config.clone());
                let stream = connector.connect(tls.server_name.clone(), stream).await.map_err(DialError::Tls)?;
                if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                    return Err(DialError::NoHttp2);
                }
                self.handshake(stream).await
            }
        }
    }

    async fn handshake(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Dialed, DialError> {
        let (sender, connection) = h2::client::Builder::new()
            .initial_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_header_list_size(self.metadata_bytes)
            .enable_push(false)
            .data_frame_budget(SMALL_FRAMES_BUDGET)
            // Counted over a connection's whole life: frames for calls that were cancelled a while ago are no attack.
            .max_local_error_reset_streams(None)
            .handshake::<_, Bytes>(Coalesce::new(stream))
            .await
            .map_err(DialError::Handshake)?;
        answered(sender, connection).await
    }
}

/// Drives the connection and sends one ping: its answer proves that an HTTP/2 server is there.
async fn answered<IO>(sender: SendRequest<Bytes>, mut connection: Connection<IO, Bytes>) -> Result<Dialed, DialError>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let pings = connection.ping_pong();
    let (broken, mut break_of) = tokio::sync::oneshot::channel();
    let driver = AbortOnDrop(Some(tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to a back office ended");
            // Nobody listens any more once the connection has been handed out.
            let _ = broken.send(error);
        }
    })));
    if let Some(mut pings) = pings
        && let Err(error) = pings.ping(h2::Ping::opaque()).await
    {
        // The connection's own error says more than the ping's.
        return Err(DialError::Handshake(break_of.try_recv().unwrap_or(error)));
    }
    Ok(Dialed { sender, driver: driver.keep() })
}

/// A connection that is given up while it is being opened must not live on.
struct AbortOnDrop(Option<JoinHandle<()>>);

impl AbortOnDrop {
    fn keep(mut self) -> JoinHandle<()> {
        self.0.take().unwrap_or_else(|| tokio::spawn(async {}))
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(driver) = &self.0 {
            driver.abort();
        }
    }
}

/// An address as people write it: `http://host:port` or `https://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) secure: bool,
}

/// An address that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("address `{0}` is not of the form http://host:port or https://host:port")]
pub struct AddressError(pub String);

impl std::str::FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refuse = || AddressError(text.to_owned());
        let uri: http::Uri = text.parse().map_err(|_| refuse())?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(refuse()),
        };
        let plain = uri.path() == "/" && uri.query().is_none() && !text.contains('@');
        let host = uri.host().filter(|host| !host.is_empty() && plain).ok_or_else(refuse)?;
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Ok(Self { host: host.trim_matches(['[', ']']).to_owned(), port, secure })
    }
}

impl Address {
    /// `host:port`, as it stands in `:authority`.
    pub(super) fn authority(&self) -> String {
        match self.host.parse::<SocketAddr>().is_err() && self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_refused() {
        let cases = [
            ("http://127.0.0.1:50061", Some(("127.0.0.1:50061", false))),
            ("https://cards.bank", Some(("cards.bank:443", true))),
            ("http://[::1]:7", Some(("[::1]:7", false))),
            ("http://cards.bank:80/", Some(("cards.bank:80", false))),
            ("127.0.0.1:50061", None),
            ("ftp://cards.bank", None),
            ("http://cards.bank/path", None),
            ("http://user@cards.bank", None),
            ("http://", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let address = text.parse::<Address>().ok();
            let seen = address.as_ref().map(|address| (address.authority(), address.secure));
            assert_eq!(seen, expected.map(|(authority, secure)| (authority.to_owned(), secure)), "{text}");
        }
    }
}
