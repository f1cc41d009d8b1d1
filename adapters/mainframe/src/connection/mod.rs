//! One connection to a host: whole requests out, counted bytes in, and the truth about what was sent.

mod address;
mod pool;
#[cfg(test)]
mod tests;

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use passerelle_adapter::Fault;
use passerelle_adapter_tls::{Tls, TlsStream};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

pub(crate) use address::Address;
pub(crate) use pool::{Pool, PoolSettings};

/// Memory is taken for at most this many bytes before they have come in, whatever a length field claims.
const TRUSTED_LENGTH_BYTES: usize = 64 << 10;
/// After this much silence the system probes whether the peer is still there (firewalls forget connections).
const KEEPALIVE: Duration = Duration::from_secs(30);

/// One connection. It is dropped, hence closed, unless an exchange ended well and the pool got it back.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    address: Arc<Address>,
    serial: u64,
    unused_since: Instant,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Connects without Nagle's delay: an exchange is one small write and one read.
    pub(crate) async fn open(address: Arc<Address>, tls: Option<&Tls>, serial: u64) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address.text()).await?;
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
        let stream = match tls {
            None => Stream::Plain(stream),
            Some(tls) => Stream::Tls(Box::new(tls.wrap(address.text(), stream).await?)),
        };
        Ok(Self { stream, address, serial, unused_since: Instant::now() })
    }

    pub(crate) fn address(&self) -> &Arc<Address> {
        &self.address
    }

    /// Tells the pool's connections apart: no two have the same number.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// Whether the peer has neither closed the connection nor said something unasked while it was unused.
    ///
    /// Asks the system itself: tokio may not have heard yet that the peer is gone.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let stream = match &mut self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => {
                let (stream, session) = stream.get_mut();
                let state = session.process_new_packets();
                if !state.is_ok_and(|state| state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed()) {
                    return false;
                }
                stream
            }
        };
        let mut byte = [MaybeUninit::uninit()];
        let seen = SockRef::from(&*stream).peek(&mut byte);
        matches!(seen, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Sends a whole request. Unavailable when not one byte could be sent, unknown when some were.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<(), Fault> {
        let mut rest = request;
        while !rest.is_empty() {
            let written = match &mut self.stream {
                Stream::Plain(stream) => stream.write(rest).await,
                Stream::Tls(stream) => stream.write(rest).await,
            };
            let sent = match written {
                Ok(0) => Err("it takes no more bytes".to_owned()),
                Ok(count) => Ok(count),
                Err(error) => Err(error.to_string()),
            };
            match sent {
                Ok(count) => rest = &rest[count..],
                Err(why) if rest.len() == request.len() => {
                    return Err(Fault::unavailable(format!("{}: nothing could be sent: {why}", self.address.text())));
                }
                Err(why) => return Err(self.broken(format!("the connection broke while the request was sent: {why}"))),
            }
        }
        if let Stream::Tls(stream) = &mut self.stream {
            let flushed = stream.flush().await;
            flushed.map_err(|why| self.broken(format!("the connection broke while the request was sent: {why}")))?;
        }
        Ok(())
    }

    /// Receives exactly `count` bytes more into `buffer`.
    pub(crate) async fn receive(&mut self, count: usize, buffer: &mut BytesMut) -> Result<(), Fault> {
        let end = buffer.len() + count;
        while buffer.len() < end {
            let missing = end - buffer.len();
            buffer.reserve(missing.min(TRUSTED_LENGTH_BYTES));
            let received = match &mut self.stream {
                Stream::Plain(stream) => stream.take(missing as u64).read_buf(buffer).await,
                Stream::Tls(stream) => stream.take(missing as u64).read_buf(buffer).await,
            };
            match received {
                Ok(0) => {
                    let what = format!("the host closed the connection, {missing} bytes of its answer are missing");
                    return Err(self.broken(what));
                }
                Ok(_) => {}
                Err(error) => return Err(self.broken(format!("the connection broke before the answer was whole: {error}"))),
            }
        }
        Ok(())
    }

    /// What the host did with the request cannot be known.
    pub(crate) fn broken(&self, what: impl std::fmt::Display) -> Fault {
        Fault::unknown(format!("{}: {what}", self.address.text()))
    }
}
