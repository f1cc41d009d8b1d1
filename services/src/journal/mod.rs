//! `passerelle.bus.v1.Journal`: messages into the journal and out of it.

mod filter;
mod follow;
mod message;
mod publish;
mod receive;
mod record;
mod refusal;
mod request;
mod server;
mod stream;
mod subscription;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use passerelle_bus::keyed::{Carried, Keyed, KeyedSettings, OpenError, Parts};
use passerelle_journal::{Journal, Position};
use tokio::sync::watch;

pub use self::filter::Filter;
pub use self::receive::METRICS;
pub(crate) use self::refusal::{of_append, of_read, stopping};
pub use self::server::Server;
pub use self::subscription::KINDS;

use self::subscription::{Subscription, Turns};
use crate::KeepError;

/// What the service is told besides.
#[derive(Clone)]
pub struct Settings {
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
    journal: Arc<dyn Journal>,
    settings: Settings,
    subscriptions: Arc<Keyed<Subscription>>,
    turns: Arc<Turns>,
    sight: Sight,
}

/// What subscriptions are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// What was published: the only thing that was meant for others.
    Published,
    /// What happened to callbacks, hand-offs and the like as well.
    Everything,
}

impl Service {
    /// A service over a journal. The projection of `parts` has the folds of [`passerelle_bus::keyed`].
    pub fn open(parts: Parts, settings: Settings) -> Result<Self, OpenError> {
        let journal = parts.journal.clone();
        let subscriptions = Keyed::open(Subscription, parts, KeyedSettings::default(), |_| {})?;
        Ok(Self { journal, settings, subscriptions: Arc::new(subscriptions), turns: Arc::default(), sight: Sight::Published })
    }

    /// The service for channels, ready for their listener: a subscription shows what was published.
    pub fn server(self) -> Server {
        Server::new(self)
    }

    /// The same for operators, whose subscriptions show all that the journal holds, what customers confided to the services included.
    pub fn server_for_operators(self) -> Server {
        Server::new(Self { sight: Sight::Everything, ..self })
    }

    /// Carries subscriptions over that cannot be known without records before `before`. See [`Keyed::keep`].
    pub async fn keep(&self, before: Position) -> Result<Carried, KeepError> {
        Ok(self.subscriptions.keep(before).await?)
    }

    /// Ends what is under way; whether it did within the grace.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.subscriptions.drain(grace).await
    }
}
