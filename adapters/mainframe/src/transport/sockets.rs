//! What all transports over sockets share: a pool, the deadline, and when a second try is allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use passerelle_adapter::{Fault, Health, async_trait};
use tokio::time::timeout_at;

use super::{Request, Transport};
use crate::connection::{Connection, Pool, PoolSettings};

/// How one transport speaks over a connection.
#[async_trait]
pub(crate) trait Dialect: Send + Sync + 'static {
    /// `tcp` or `ims_connect`, as written in the file.
    fn name(&self) -> &'static str;

    /// Sends a request and receives its answer. After `Ok` the connection is ready for the next one; after a fault it is closed.
    async fn exchange(&self, connection: &mut Connection, request: &Request) -> Result<Bytes, Fault>;
}

/// A transport: a dialect over a pool of connections.
pub(crate) struct Sockets<D> {
    dialect: D,
    pool: Arc<Pool>,
}

impl<D: Dialect> Sockets<D> {
    pub(crate) fn start(dialect: D, settings: PoolSettings) -> Self {
        Self { dialect, pool: Pool::start(settings) }
    }

    /// Tries until a rule forbids it: after `Unavailable` nothing has happened, so each address may be tried; after `Unknown`
    /// an idempotent operation gets one more try.
    async fn attempts(&self, request: &Request, connected: &AtomicBool) -> Result<Bytes, Fault> {
        let mut lease = self.pool.lease().await?;
        connected.store(true, Ordering::Relaxed);
        let mut unavailable_left = self.pool.address_count();
        let mut unknown_left = usize::from(request.idempotent);
        loop {
            let address = lease.connection.address();
            tracing::Span::current().record("address", address.text());
            let fault = match self.dialect.exchange(&mut lease.connection, request).await {
                Ok(answer) => {
                    self.pool.give_back(lease);
                    return Ok(answer);
                }
                Err(fault) => fault,
            };
            let tries_left = match fault {
                Fault::Unavailable { .. } => {
                    lease.connection.address().failed();
                    &mut unavailable_left
                }
                Fault::Unknown { .. } => &mut unknown_left,
                _ => return Err(fault),
            };
            let Some(left) = tries_left.checked_sub(1) else { return Err(fault) };
            *tries_left = left;
            tracing::debug!(target: "adapter_mainframe", %fault, "trying again on another connection");
            lease = self.pool.renew(lease).await?;
        }
    }
}

#[async_trait]
impl<D: Dialect> Transport for Sockets<D> {
    async fn exchange(&self, request: &Request) -> Result<Bytes, Fault> {
        let connected = AtomicBool::new(false);
        match timeout_at(request.deadline, self.attempts(request, &connected)).await {
            Ok(result) => result,
            Err(_elapsed) if connected.into_inner() => {
                let what = request.trancode.as_deref().unwrap_or("the host");
                Err(Fault::DeadlineExceeded { message: format!("{what} did not answer in time") })
            }
            Err(_elapsed) => {
                let message = "no connection to the host was free in time, nothing was sent (pool.max)".to_owned();
                Err(Fault::DeadlineExceeded { message })
            }
        }
    }

    fn name(&self) -> &'static str {
        self.dialect.name()
    }

    async fn health(&self) -> Health {
        let findings = self.pool.probe().await;
        let down: Vec<_> =
            findings.iter().filter_map(|(address, finding)| Some(format!("{address}: {}", finding.as_ref().err()?))).collect();
        match down.len() {
            0 => Health::Ready,
            count if count < findings.len() => Health::Degraded { reason: down.join("; ") },
            _ => Health::Down { reason: down.join("; ") },
        }
    }

    async fn drain(&self, grace: Duration) {
        self.pool.drain(grace).await;
    }
}
