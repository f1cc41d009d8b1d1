//! The host double: answers an integrator's file over TCP as its host would, for those without a mainframe.

mod answer;
mod exchanges;
mod prepare;
mod spec;
mod wire;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::Secrets;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use self::answer::{Answered, Answers, Outcome};
use self::wire::Wire;
use crate::file::FileError;

/// Most connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 1024;
/// No answer in any framing; the double hangs up after it.
const GARBAGE: [u8; 64] = [0xA5; 64];
/// Pause after a connection that could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A running double of one host.
#[derive(Debug)]
pub struct Double {
    address: SocketAddr,
    banner: String,
    stop: watch::Sender<()>,
    serving: JoinHandle<()>,
}

/// A double cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum DoubleError {
    /// Its file, or one that it names, is wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its address cannot be bound.
    #[error("{address}: {error}")]
    Bind {
        /// The address.
        address: String,
        /// Why.
        error: std::io::Error,
    },
}

impl Double {
    /// Starts to answer on `address` (`127.0.0.1:0` takes a free port) as the file at `path` says. `secrets` are needed only to record
    /// from a host that wants credentials.
    ///
    /// # Errors
    /// A sample that does not fit its record, with file and line; an address that cannot be bound.
    pub async fn bind(address: &str, path: &Path, secrets: &dyn Secrets) -> Result<Self, DoubleError> {
        let (wire, answers) = prepare::prepare(path, secrets)?;
        let cannot_bind = |error| DoubleError::Bind { address: address.to_owned(), error };
        let listener = TcpListener::bind(address).await.map_err(cannot_bind)?;
        let address = listener.local_addr().map_err(cannot_bind)?;
        let banner =
            format!("HOST DOUBLE, not a mainframe: plays {} ({}) on {address} {}", answers.host, wire.name(), answers.source());
        let (stop, stopped) = watch::channel(());
        let serving = tokio::spawn(serve(listener, Arc::new(wire), Arc::new(answers), stopped));
        Ok(Self { address, banner, stop, serving })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// One line that says what this is: a double, not a mainframe.
    pub fn banner(&self) -> &str {
        &self.banner
    }

    /// Closes all connections and the address; returns when they are closed.
    pub async fn shutdown(self) {
        drop(self.stop);
        // It ends by itself; were it to panic, there is nothing left to close.
        let _ = self.serving.await;
    }
}

async fn serve(listener: TcpListener, wire: Arc<Wire>, answers: Arc<Answers>, mut stopped: watch::Receiver<()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Dropped at the end, with all connections in it.
    let mut connections = JoinSet::new();
    let accept = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, most likely: some connections must end first.
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            let (wire, answers) = (Arc::clone(&wire), Arc::clone(&answers));
            connections.spawn(async move {
                let _place = place;
                if let Err(problem) = converse(stream, &wire, &answers).await {
                    tracing::debug!(target: "adapter_mainframe", problem, "the double gave a connection up");
                }
            });
        }
    };
    tokio::select! {
        () = accept => {}
        _ = stopped.changed() => {}
    }
    connections.shutdown().await;
}

/// Answers one connection until it ends.
async fn converse(mut stream: TcpStream, wire: &Wire, answers: &Answers) -> Result<(), String> {
    let io = |error: std::io::Error| error.to_string();
    stream.set_nodelay(true).map_err(io)?;
    while let Some(incoming) = wire.read(&mut stream).await? {
        if incoming.is_acknowledgement {
            stream.write_all(&incoming.committed()).await.map_err(io)?;
            continue;
        }
        let Answered { outcome, latency } = answers.answer(&incoming).await;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let reply = match outcome {
            Outcome::Reply(record) => wire.reply(&incoming, &record),
            Outcome::Abend(code) => wire.abend(&incoming, &code),
            Outcome::Unknown => wire.unknown_transaction(&incoming),
            Outcome::Close => None,
            Outcome::Garbage => return stream.write_all(&GARBAGE).await.map_err(io),
        };
        let Some(reply) = reply else { return Ok(()) };
        stream.write_all(&reply).await.map_err(io)?;
    }
    Ok(())
}
