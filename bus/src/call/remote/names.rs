//! Addresses that are names: resolved again by and by, since the servers that a name means change.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::fleet::{Fleet, Origin, Server};
use super::slot::{BACKOFF_FACTOR, FIRST_BACKOFF, LONGEST_BACKOFF, State, about};

/// Servers of one name at most; what a name means beyond that is not used.
const MOST_SERVERS: usize = 64;
/// A name is not resolved more often, however many of its servers are lost.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// Finds the servers that a name means. The bus asks nothing of the outside world by itself, so this is handed in.
#[async_trait]
pub trait Resolve: std::fmt::Debug + Send + Sync {
    /// The addresses of a host, with this port. Fails when there are none, or they cannot be found out now.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// Keeps the servers of one address what its name means.
pub(super) struct Name {
    pub(super) origin: Arc<Origin>,
    pub(super) fleet: Arc<Fleet>,
    /// Which address of the fleet.
    pub(super) part: usize,
    pub(super) resolver: Arc<dyn Resolve>,
    /// How often it is resolved while nothing is wrong.
    pub(super) every: Duration,
}

impl Name {
    /// Resolves at once, when a server is lost, and every so often, until the endpoint is given up (its task is aborted then).
    pub(super) async fn run(self) {
        let mut known: Vec<Arc<Server>> = Vec::new();
        let mut backoff = FIRST_BACKOFF;
        loop {
            match self.resolve(known.is_empty()).await {
                Ok(sockets) => {
                    backoff = FIRST_BACKOFF;
                    self.take(&mut known, &sockets);
                    tokio::time::sleep(SHORTEST_PAUSE.min(self.every)).await;
                    let rest = self.every.saturating_sub(SHORTEST_PAUSE);
                    // What is told in the pause is not forgotten.
                    let _ = tokio::time::timeout(rest, self.origin.lost.notified()).await;
                }
                Err(error) => {
                    let wait = about(backoff);
                    self.fail(known.is_empty(), error, wait);
                    tokio::time::sleep(wait).await;
                    backoff = backoff.mul_f64(BACKOFF_FACTOR).min(LONGEST_BACKOFF);
                }
            }
        }
    }

    /// The servers of this moment, in order, one at least. Callers are told when this takes long.
    async fn resolve(&self, is_first: bool) -> Result<BTreeSet<SocketAddr>, String> {
        let mut asked = self.resolver.resolve(&self.origin.host, self.origin.port);
        let found = match tokio::time::timeout(self.origin.connect_timeout, &mut asked).await {
            Ok(found) => found,
            Err(_) => {
                if is_first {
                    let error = format!("its name is not resolved within {} ms", self.origin.connect_timeout.as_millis());
                    self.stand_in(State::Failed { error, again_at: Instant::now() });
                }
                // Asked once: resolvers that hang must not pile up.
                asked.await
            }
        };
        let found = found.map_err(|error| format!("its name cannot be resolved: {error}"))?;
        let mut sockets: BTreeSet<SocketAddr> = found.into_iter().collect();
        if sockets.is_empty() {
            return Err("its name has no address".to_owned());
        }
        if sockets.len() > MOST_SERVERS {
            let (endpoint, address, found) = (&self.origin.endpoint, &self.origin.address, sockets.len());
            tracing::warn!(endpoint, address, found, used = MOST_SERVERS, "the name means more servers than are used");
            sockets = sockets.into_iter().take(MOST_SERVERS).collect();
        }
        Ok(sockets)
    }

    /// Connects to servers that are new, gives up those that are gone, leaves alone those that stay.
    fn take(&self, known: &mut Vec<Arc<Server>>, sockets: &BTreeSet<SocketAddr>) {
        let before: BTreeSet<SocketAddr> = known.iter().filter_map(|server| server.socket).collect();
        if before == *sockets {
            return;
        }
        let server = |socket: &SocketAddr| {
            let same = known.iter().find(|server| server.socket == Some(*socket));
            same.cloned().unwrap_or_else(|| Server::connect(&self.origin, *socket))
        };
        let servers: Vec<_> = sockets.iter().map(server).collect();
        let (endpoint, address) = (&self.origin.endpoint, &self.origin.address);
        let (new, gone) = (sockets.difference(&before).count(), before.difference(sockets).count());
        tracing::info!(endpoint, address, servers = servers.len(), new, gone, "resolved");
        known.clone_from(&servers);
        self.show(servers);
    }

    /// What is known stays in use: a resolver that is away says nothing about the servers.
    fn fail(&self, nothing_known: bool, error: String, wait: Duration) {
        let (endpoint, address, again_in_ms) = (&self.origin.endpoint, &self.origin.address, wait.as_millis() as u64);
        tracing::warn!(endpoint, address, error, again_in_ms, "not resolved");
        if nothing_known {
            self.stand_in(State::Failed { error, again_at: Instant::now() + wait });
        }
    }

    fn stand_in(&self, state: State) {
        self.show(vec![Server::unresolved(&self.origin, state)]);
    }

    fn show(&self, servers: Vec<Arc<Server>>) {
        self.fleet.replace(self.part, servers);
        self.origin.changed.send_modify(|version| *version += 1);
    }
}
