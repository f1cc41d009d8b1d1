//! `passerelle.bus.v1.Journal`: messages into the journal and out of it.

mod filter;
mod follow;
mod message;
mod publish;
mod record;
mod refusal;
mod request;
mod server;
mod stream;
mod subscription;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::SystemTime;

use passerelle_journal::Journal;
use tokio::sync::watch;

pub use self::server::Server;
pub use self::subscription::{Advance, Subscription};

use self::subscription::Subscriptions;

/// What the service stands on.
#[derive(Clone)]
pub struct Parts {
    /// Where messages are written and read.
    pub journal: Arc<dyn Journal>,
    /// For the fingerprints of messages; the same at each start, or repetitions are not known any more.
    pub fingerprint_key: [u8; 16],
    /// Says when a record is written.
    pub now: fn() -> SystemTime,
    /// Turns to true when the bus is being stopped: streams, which may last for ever, end then.
    pub stopping: watch::Receiver<bool>,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    parts: Parts,
    subscriptions: Arc<Subscriptions>,
}

impl Service {
    /// A service over a journal.
    pub fn new(parts: Parts) -> Self {
        let subscriptions = Arc::new(Subscriptions::new(parts.journal.clone(), parts.now));
        Self { parts, subscriptions }
    }

    /// The service, ready for a listener.
    pub fn server(self) -> Server {
        Server::new(self)
    }
}
