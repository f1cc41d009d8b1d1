//! What stands on the journal: opened before the ports, closed after them.

mod measures;
mod retention;
mod secret;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use passerelle_adapter::Adapter;
use passerelle_bus::keyed::{Answers, Parts, Timers};
use passerelle_bus::pattern::Patterns;
use passerelle_journal::Journal;
use passerelle_journal::log::{Log, LogSettings, OpenError};
use passerelle_journal::storage::Directory;
use passerelle_projection::{Fold, Health, Projection};
use passerelle_services::customer::callback::{self, CallbackParts, Callbacks};
use passerelle_services::customer::handoff::{self, Handoffs};
use passerelle_services::delivery::{self, Calls, Deliveries, DeliveryPlan};
use passerelle_services::{journal, pattern};
use tokio::sync::watch;
use tonic::service::Routes as Services;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::explain::Code;
use crate::failure::Failure;
use crate::serve::clock::Wall;
use crate::serve::patterns;
use crate::settings::Settings;

pub(crate) use self::measures::METRICS;
pub(crate) use self::retention::Retention;

/// Services that stand on the journal, on the channels' port. Who adds one adds its row here, its folds in [`folds`], and itself
/// in [`Durable::open`], [`Durable::add_services`], [`Durable::close`] and `retention`.
pub(crate) const SERVICES: [&str; 4] = [
    "passerelle.bus.v1.Deliveries",
    "passerelle.bus.v1.Journal",
    "passerelle.customer.v1.Callbacks",
    "passerelle.customer.v1.Handoffs",
];

/// The journal and its users.
pub(crate) struct Durable {
    log: Arc<Log>,
    projection: Arc<Projection>,
    journal: journal::Service,
    deliveries: Deliveries,
    patterns: Arc<Patterns>,
    callbacks: Callbacks,
    handoffs: Handoffs,
    /// Where customers are called back.
    desks: BTreeMap<String, Arc<dyn Adapter>>,
    retention: Retention,
    stop: watch::Sender<bool>,
}

/// The tables that are made of the journal.
pub(crate) fn folds(settings: &Settings) -> Vec<Box<dyn Fold>> {
    let mut folds: Vec<Box<dyn Fold>> = vec![Box::new(Answers::default()), Box::new(Timers)];
    folds.extend(callback::folds(&callback::lines(&settings.callback)));
    folds.extend(handoff::folds(&settings.handoff));
    folds.extend(delivery::folds());
    folds.extend(Patterns::folds());
    folds
}

impl Durable {
    /// Opens the journal, which others must not have open, and what stands on it.
    pub(crate) async fn open(
        settings: &Settings,
        desks: BTreeMap<String, Arc<dyn Adapter>>,
        calls: Calls,
    ) -> Result<Self, Failure> {
        let folds = folds(settings);
        let (dir, engine, views) = (settings.journal_dir(), settings.journal.engine(), views(settings));
        let data_dir = settings.data_dir.clone();
        // Blocks on the disk.
        let opening = tokio::task::spawn_blocking(move || {
            let log = open_log(&dir, engine)?;
            let projection = open_projection(&views, folds, log.clone())?;
            let secret = secret::open(&data_dir)?;
            Ok::<_, Failure>((log, projection, secret))
        });
        let (log, projection, secret) = opening.await.map_err(Failure::plain)??;
        let parts = || Parts { journal: log.clone(), projection: projection.clone(), clock: Arc::new(Wall) };
        let (stop, stopping) = watch::channel(false);
        let publishing = journal::Settings { fingerprint_key: log.identity(), now: SystemTime::now, stopping: stopping.clone() };
        let journal = journal::Service::open(parts(), publishing).map_err(Failure::plain)?;
        let delivering = delivery::Settings { hash_key: log.identity(), stopping, calls };
        let deliveries = Deliveries::open(parts(), plans(settings)?, delivering).await.map_err(Failure::plain)?;
        let patterns =
            Patterns::open(patterns::declared(settings)?, deliveries.parts(Arc::new(Wall))).await.map_err(Failure::plain)?;
        let patterns = Arc::new(patterns);
        let calling = CallbackParts {
            keyed: parts(),
            lines: callback::lines(&settings.callback),
            desks: desks.clone(),
            secret: log.identity(),
        };
        let callbacks = Callbacks::open(calling).map_err(Failure::plain)?;
        let handoffs = Handoffs::open(parts(), secret, settings.handoff.clone()).map_err(Failure::plain)?;
        let retention = settings.journal.retention();
        Ok(Self { log, projection, journal, deliveries, patterns, callbacks, handoffs, desks, retention, stop })
    }

    /// What the route files declare besides routes.
    pub(crate) fn patterns(&self) -> Arc<Patterns> {
        self.patterns.clone()
    }

    /// Takes what an adapter receives into the journal, until streams are ended.
    pub(crate) async fn receive(&self, endpoint: &str, adapter: &dyn Adapter) {
        self.journal.receive(endpoint, adapter).await;
    }

    /// Adds the services that stand on the journal.
    pub(crate) fn add_services(&self, services: Services) -> Services {
        services
            .add_service(self.journal.clone().server())
            .add_service(self.deliveries.server())
            .add_service(self.callbacks.server())
            .add_service(self.handoffs.server())
    }

    /// Adds what operators see of it.
    pub(crate) fn add_services_for_operators(&self, services: Services) -> Services {
        services
            .add_service(self.journal.clone().server_for_operators())
            .add_service(self.deliveries.server_for_operators())
            .add_service(pattern::Operations::new(self.patterns.clone()).server())
    }

    /// What keeps it from working, for operators.
    pub(crate) fn obstacle(&self) -> Option<String> {
        if let Some(why) = &self.log.durable().borrow().failed {
            return Some(format!("the journal cannot be written any more: {why}; calls to back offices go on"));
        }
        match self.projection.status().health {
            Health::Stopped(stopped) => Some(format!("{stopped}; {}; calls to back offices go on", Code::VIEWS_STOPPED)),
            _ if self.projection.has_room() => None,
            Health::Held(why) => Some(format!("the views do not follow the journal for the moment: {why}")),
            Health::Building { .. } | Health::Following => {
                Some(format!("the views are {} records behind the journal; they follow by themselves", self.projection.lag()))
            }
        }
    }

    /// Tells by health that the journal works, and logs when it or the views do not any more.
    pub(crate) async fn watch(self: Arc<Self>, health: HealthReporter) {
        tokio::join!(self.watch_journal(health), self.watch_views());
    }

    async fn watch_views(&self) {
        let status = self.projection.until(|status| matches!(status.health, Health::Stopped(_))).await;
        if let Health::Stopped(why) = status.health {
            tracing::error!(code = %Code::VIEWS_STOPPED, %why, "the views do not follow the journal any more; calls to back offices go on");
        }
    }

    async fn watch_journal(&self, health: HealthReporter) {
        set(&health, ServingStatus::Serving).await;
        let mut durability = self.log.decided();
        let failed = durability.wait_for(|durability| durability.failed.is_some()).await;
        let Some(why) = failed.ok().and_then(|durability| durability.failed.clone()) else { return };
        tracing::error!(code = %Code::JOURNAL_FAILED, %why, "the journal cannot be written any more; calls to back offices go on");
        set(&health, ServingStatus::NotServing).await;
    }

    /// Writes down the counters of the journal and of the deliveries.
    pub(crate) fn measure(&self) {
        measures::take(&self.log);
        self.deliveries.measure();
    }

    /// Ends the streams of publishers, subscribers and advisers, which may last for ever.
    pub(crate) async fn end_streams(&self) {
        self.stop.send_replace(true);
        self.callbacks.let_go();
        for desk in self.desks.values() {
            desk.drain(Duration::ZERO).await;
        }
    }

    /// Ends what stands on the journal, writes what is still queued, and lets go of the folder.
    pub(crate) async fn close(&self, grace: Duration) {
        // What patterns read and give up is written down by what deliveries stand on.
        let patterns = self.patterns.drain(grace).await;
        let (journal, deliveries, callbacks, handoffs) = tokio::join!(
            self.journal.drain(grace),
            self.deliveries.drain(grace),
            self.callbacks.drain(grace),
            self.handoffs.drain(grace)
        );
        if !journal {
            tracing::warn!("some acknowledgements of subscriptions did not end within the grace and are cut");
        }
        if !deliveries {
            tracing::warn!("some deliveries did not end within the grace and are cut; their messages come again");
        }
        if !patterns {
            tracing::warn!("some patterns did not end within the grace and are cut; their messages come again");
        }
        if !callbacks {
            tracing::warn!("some steps of callbacks did not end within the grace and are cut");
        }
        if !handoffs {
            tracing::warn!("some steps of hand-offs did not end within the grace and are cut");
        }
        self.projection.close().await;
        self.log.close().await;
    }
}

/// The deliveries that the settings declare.
fn plans(settings: &Settings) -> Result<Vec<DeliveryPlan>, Failure> {
    settings.deliveries.iter().map(|(name, delivery)| delivery.plan(name).map_err(Failure::plain)).collect()
}

/// Opens the journal. Blocks on the disk.
pub(crate) fn open_log(dir: &Path, settings: LogSettings) -> Result<Arc<Log>, Failure> {
    let folder = Directory::open(dir).map_err(OpenError::from);
    let log = folder.and_then(|folder| Log::open(Arc::new(folder), settings));
    log.map(Arc::new).map_err(|error| unusable(dir, &error))
}

/// Opens the tables that are made of the journal. Blocks on the disk.
pub(crate) fn open_projection(path: &Path, folds: Vec<Box<dyn Fold>>, journal: Arc<Log>) -> Result<Arc<Projection>, Failure> {
    let projection = Projection::open(path, folds, journal, passerelle_projection::Settings::default());
    projection.map(Arc::new).map_err(|error| Failure::new(Code::VIEWS_UNUSABLE, error))
}

/// Where the tables are.
pub(crate) fn views(settings: &Settings) -> PathBuf {
    settings.data_dir.join("views.sqlite")
}

/// A journal that cannot be opened, with the page that tells the way out.
pub(crate) fn unusable(dir: &Path, error: &OpenError) -> Failure {
    let code = match error {
        OpenError::Locked => Code::JOURNAL_LOCKED,
        OpenError::Damaged(_) => Code::JOURNAL_DAMAGED,
        OpenError::NewerVersion(_) => Code::JOURNAL_NEWER,
        OpenError::Disk(_) => Code::JOURNAL_FAILED,
    };
    Failure::new(code, format!("journal {}: {error}", dir.display()))
}

async fn set(health: &HealthReporter, status: ServingStatus) {
    for service in SERVICES {
        health.set_service_status(service, status).await;
    }
}
