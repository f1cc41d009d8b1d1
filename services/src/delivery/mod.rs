//! `passerelle.bus.v1.Deliveries` and `DeliveryOperations`: messages to those who take them, and what was given up.

mod consume;
mod letters;
mod measures;
mod operate;
mod plan;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use passerelle_bus::call::Gateway;
use passerelle_bus::contract::Registry;
use passerelle_bus::delivery::{self, DeliveryParts, Grave, Ledger, Method, ReceiptFold};
use passerelle_bus::keyed::{Carried, Clock, Decider, Entities, Keyed, KeyedSettings, OpenError, Parts};
use passerelle_journal::{Journal, Position};
use passerelle_projection::{Fold, Projection};
use passerelle_proto::bus::v1::deliveries_server::DeliveriesServer;
use passerelle_proto::bus::v1::delivery_operations_server::DeliveryOperationsServer;
use tokio::sync::watch;

pub use self::measures::METRICS;
pub use self::plan::{DeliveryPlan, Key, OnceKey, Received, To};
use crate::KeepError;

/// Kinds of all things that deliveries keep.
pub const KINDS: [&str; 2] = [Ledger::KIND, Grave::KIND];

/// The tables that deliveries are listed from.
#[must_use]
pub fn folds() -> Vec<Box<dyn Fold>> {
    vec![Box::new(Entities::with_columns(Grave)), Box::new(ReceiptFold)]
}

/// The deliveries cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A limit that leaves no room.
    #[error(transparent)]
    Limit(#[from] OpenError),
    /// How far one has got cannot be read.
    #[error("how far the delivery {name} has got cannot be read: {why}")]
    Unreadable {
        /// Which.
        name: String,
        /// Why.
        why: String,
    },
}

/// What deliveries are told besides.
#[derive(Clone)]
pub struct Settings {
    /// For the hashes of keys; the same at each start.
    pub hash_key: [u8; 16],
    /// Turns to true when the bus is being stopped: streams, which may last for ever, end then.
    pub stopping: watch::Receiver<bool>,
    /// How methods are called.
    pub calls: Calls,
}

/// How methods are called that messages go to.
#[derive(Clone)]
pub struct Calls {
    /// Who carries calls.
    pub gateway: Arc<Gateway>,
    /// Where methods stand.
    pub registry: Arc<Registry>,
    /// The metadata by which channels say who they are.
    pub channel_key: HeaderName,
}

/// The deliveries of a bus. Cheap to clone.
#[derive(Clone)]
pub struct Deliveries(Arc<Inner>);

struct Inner {
    all: BTreeMap<String, Arc<One>>,
    ledger: Arc<Keyed<Ledger>>,
    graves: Arc<Keyed<Grave>>,
    journal: Arc<dyn Journal>,
    projection: Arc<Projection>,
    stopping: watch::Receiver<bool>,
}

/// One of them.
struct One {
    name: String,
    to: To,
    delivery: Arc<delivery::Delivery>,
    /// Consumers at this moment.
    consumers: consume::Consumers,
}

impl One {
    /// Begins to call the method that its messages go to, if they do.
    fn call(&self, settings: &Settings, clock: &Arc<dyn Clock>) {
        let To::Method { path, timeout } = self.to.clone() else { return };
        let Calls { gateway, registry, channel_key } = settings.calls.clone();
        let (delivery, clock) = (self.name.clone(), clock.clone());
        let method = Arc::new(Method { delivery, path, timeout, channel_key, gateway, registry, clock });
        // It ends when the bus is being stopped.
        tokio::spawn(method.serve(self.delivery.clone(), settings.stopping.clone()));
    }
}

impl Deliveries {
    /// All of them, going on where they were. The projection of `parts` has the folds of [`folds`].
    pub async fn open(parts: Parts, plans: Vec<DeliveryPlan>, settings: Settings) -> Result<Self, Error> {
        let Parts { journal, projection, clock } = parts;
        let again = || Parts { journal: journal.clone(), projection: projection.clone(), clock: clock.clone() };
        let ledger = Arc::new(Keyed::open(Ledger, again(), KeyedSettings::default(), |_| {})?);
        let graves = Arc::new(Keyed::open(Grave, again(), KeyedSettings::default(), |_| {})?);
        let parts = DeliveryParts {
            journal: journal.clone(),
            ledger: ledger.clone(),
            graves: graves.clone(),
            projection: projection.clone(),
            clock: clock.clone(),
        };
        let mut all = BTreeMap::new();
        for plan in plans {
            let (name, to) = (plan.name.clone(), plan.to.clone());
            let delivery = delivery::Delivery::open(plan.for_bus(settings.hash_key), parts.clone()).await;
            let delivery = delivery.map_err(|why| Error::Unreadable { name: name.clone(), why: why.to_string() })?;
            all.insert(
                name.clone(),
                Arc::new(One { name, to, delivery: Arc::new(delivery), consumers: consume::Consumers::default() }),
            );
        }
        for one in all.values() {
            one.call(&settings, &clock);
        }
        let stopping = settings.stopping;
        Ok(Self(Arc::new(Inner { all, ledger, graves, journal, projection, stopping })))
    }

    /// The service for consumers, ready for a listener.
    #[must_use]
    pub fn server(&self) -> DeliveriesServer<Self> {
        DeliveriesServer::new(self.clone())
    }

    /// The service for operators, ready for their listener.
    #[must_use]
    pub fn server_for_operators(&self) -> DeliveryOperationsServer<Self> {
        DeliveryOperationsServer::new(self.clone())
    }

    /// What patterns read with: they make dead letters of the same sort.
    #[must_use]
    pub fn parts(&self, clock: Arc<dyn Clock>) -> DeliveryParts {
        let Inner { journal, ledger, graves, projection, .. } = &*self.0;
        DeliveryParts {
            journal: journal.clone(),
            ledger: ledger.clone(),
            graves: graves.clone(),
            projection: projection.clone(),
            clock,
        }
    }

    /// The oldest record that is still to be delivered: retention must not go further. `None`: there are no deliveries.
    #[must_use]
    pub fn oldest(&self) -> Option<Position> {
        self.0.all.values().map(|one| one.delivery.oldest()).min()
    }

    /// Carries over what cannot be known without records before `before`. See [`Keyed::keep`].
    pub async fn keep(&self, before: Position) -> Result<Carried, KeepError> {
        let ledger = self.0.ledger.keep(before).await?;
        Ok(ledger + self.0.graves.keep(before).await?)
    }

    /// Ends what is under way; whether it did within the grace.
    pub async fn drain(&self, grace: Duration) -> bool {
        let mut ended = true;
        let all = self.0.all.values().map(|one| one.delivery.drain(grace));
        for done in futures_util::future::join_all(all).await {
            ended &= done;
        }
        let (ledger, graves) = tokio::join!(self.0.ledger.drain(grace), self.0.graves.drain(grace));
        ended && ledger && graves
    }
}
