//! The open adapter: methods to operations, health of all hosts, drain.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use passerelle_adapter::{Adapter, Call, Descriptor, Fault, Health, Messages, async_trait};
use tokio::sync::RwLock;
use tokio::time::timeout;

use crate::operation::Operation;
use crate::transport::Transport;

/// Mainframe transactions that look like a gRPC contract.
pub(crate) struct MainframeAdapter {
    pub(crate) descriptor: Descriptor,
    /// By full method name: `bank.accounts.v1.AccountInquiry/InquireAccounts`.
    pub(crate) operations: BTreeMap<String, Operation>,
    /// By name in the file.
    pub(crate) hosts: BTreeMap<String, Arc<dyn Transport>>,
    pub(crate) calls: Calls,
    /// As many as there are connections: what is beyond waits for one.
    pub(crate) calls_at_once: u32,
}

/// The calls in flight: each reads, drain writes.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    in_flight: RwLock<()>,
    draining: AtomicBool,
}

#[async_trait]
impl Adapter for MainframeAdapter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn calls_at_once(&self) -> Option<u32> {
        Some(self.calls_at_once)
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        let Some(operation) = self.operations.get(&call.method) else {
            let served = self.operations.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(Fault::Unimplemented { message: format!("{} is not served here, these are: {served}", call.method) });
        };
        let draining = || Fault::unavailable("the adapter is draining");
        if self.calls.draining.load(Ordering::Acquire) {
            return Err(draining());
        }
        let _in_flight = self.calls.in_flight.try_read().map_err(|_draining| draining())?;
        let message = call.messages.into_one().await?;
        Ok(Messages::one(operation.call(message, &call.context).await?))
    }

    async fn health(&self) -> Health {
        let of_host = |(name, host): (&String, &Arc<dyn Transport>)| {
            let (name, host) = (name.clone(), Arc::clone(host));
            async move { (name, host.health().await) }
        };
        overall(join_all(self.hosts.iter().map(of_host)).await)
    }

    async fn drain(&self, grace: Duration) {
        self.calls.draining.store(true, Ordering::Release);
        // What is still in flight after the grace is given up when its connections are closed.
        let _ = timeout(grace, self.calls.in_flight.write()).await;
        join_all(self.hosts.values().map(|host| host.drain(Duration::ZERO))).await;
    }
}

/// Down only if every host is: the others' operations still work.
fn overall(hosts: Vec<(String, Health)>) -> Health {
    let all = hosts.len();
    let mut down = 0;
    let mut reasons = Vec::new();
    for (name, health) in hosts {
        match health {
            Health::Ready => {}
            Health::Degraded { reason } => reasons.push(format!("{name}: {reason}")),
            Health::Down { reason } => {
                down += 1;
                reasons.push(format!("{name}: {reason}"));
            }
        }
    }
    match reasons.join("; ") {
        reason if down == all && all > 0 => Health::Down { reason },
        reason if !reason.is_empty() => Health::Degraded { reason },
        _ => Health::Ready,
    }
}
