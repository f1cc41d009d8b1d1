//! What stands on the journal: opened before the ports, closed after them.

use std::sync::Arc;
use std::time::SystemTime;

use metrics::Unit;
use passerelle_journal::log::{Log, OpenError};
use passerelle_journal::storage::Directory;
use passerelle_journal::{Durability, Journal};
use passerelle_services::journal;
use tokio::sync::watch;
use tonic::service::Routes as Services;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::explain::Code;
use crate::failure::Failure;
use crate::settings::Settings;

/// Services that stand on the journal, on the channels' port. A row here goes with one in [`Durable::add_services`].
pub(crate) const SERVICES: [&str; 1] = ["passerelle.bus.v1.Journal"];

const RECORDS: &str = "passerelle_journal_records_total";
const BYTES: &str = "passerelle_journal_bytes_total";
const BATCHES: &str = "passerelle_journal_batches_total";
const SYNCS: &str = "passerelle_journal_syncs_total";
const REPEATED: &str = "passerelle_journal_repeated_total";
const SEGMENTS: &str = "passerelle_journal_segments";
const POSITION: &str = "passerelle_journal_position";
const FIRST: &str = "passerelle_journal_first_position";
const FAILED: &str = "passerelle_journal_failed";

/// Name, unit and meaning of every metric of this file.
pub(crate) const METRICS: [(&str, Unit, &str); 9] = [
    (RECORDS, Unit::Count, "records written to the journal"),
    (BYTES, Unit::Bytes, "bytes written to the journal, headers included"),
    (BATCHES, Unit::Count, "batches of records, each one write and one fdatasync"),
    (SYNCS, Unit::Count, "calls of fdatasync by the journal"),
    (REPEATED, Unit::Count, "messages published again and not written again"),
    (SEGMENTS, Unit::Count, "files of the journal that hold records"),
    (POSITION, Unit::Count, "position of the last record on disk"),
    (FIRST, Unit::Count, "position of the oldest record kept"),
    (FAILED, Unit::Count, "1 when the journal cannot be written any more until a restart, else 0"),
];

/// The journal and its users.
pub(crate) struct Durable {
    log: Arc<passerelle_journal::memory::Memory>,
    service: journal::Service,
    stop: watch::Sender<bool>,
}

impl Durable {
    /// Opens the journal, which others must not have open, and what stands on it.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Failure> {
        let (dir, engine) = (settings.journal_dir(), settings.journal.engine());
        let opening = tokio::task::spawn_blocking(move || {
            let folder = Directory::open(&dir).map_err(OpenError::from);
            let log = folder.and_then(|folder| Log::open(Arc::new(folder), engine));
            log.map_err(|error| Failure::new(code(&error), format!("journal {}: {error}", dir.display())))
        });
        let _ = opening.await.map_err(Failure::plain)?;
        let log = Arc::new(passerelle_journal::memory::Memory::new());
        let (stop, stopping) = watch::channel(false);
        let parts = journal::Parts { journal: log.clone(), fingerprint_key: [0; 16], now: SystemTime::now, stopping };
        Ok(Self { log, service: journal::Service::new(parts), stop })
    }

    /// Adds the services that stand on the journal.
    pub(crate) fn add_services(&self, services: Services) -> Services {
        services.add_service(self.service.clone().server())
    }

    /// How far the journal is on disk, and whether it still can be written.
    pub(crate) fn durability(&self) -> watch::Receiver<Durability> {
        self.log.durable()
    }

    /// Tells by health that the journal works; logs it when it does not any more. Ends then.
    pub(crate) async fn watch(self: Arc<Self>, health: HealthReporter) {
        set(&health, ServingStatus::Serving).await;
        let mut durability = self.log.durable();
        let failed = durability.wait_for(|durability| durability.failed.is_some()).await;
        let Some(why) = failed.ok().and_then(|durability| durability.failed.clone()) else { return };
        tracing::error!(code = %Code::JOURNAL_FAILED, %why, "the journal cannot be written any more; calls to back offices go on");
        set(&health, ServingStatus::NotServing).await;
    }

    /// Writes down the counters of the journal.
    pub(crate) fn measure(&self) {
        let stats = passerelle_journal::log::Stats::default();
        metrics::counter!(RECORDS).absolute(stats.records);
        metrics::counter!(BYTES).absolute(stats.bytes);
        metrics::counter!(BATCHES).absolute(stats.batches);
        metrics::counter!(SYNCS).absolute(stats.syncs);
        metrics::counter!(REPEATED).absolute(stats.repeated);
        let durability = self.log.durable().borrow().clone();
        metrics::gauge!(SEGMENTS).set(stats.segments as f64);
        metrics::gauge!(POSITION).set(durability.position.0 as f64);
        metrics::gauge!(FIRST).set(self.log.first().0 as f64);
        metrics::gauge!(FAILED).set(if durability.failed.is_some() { 1.0 } else { 0.0 });
    }

    /// Ends the streams of publishers and subscribers, which may last for ever.
    pub(crate) fn end_streams(&self) {
        self.stop.send_replace(true);
    }

    /// Writes what is still queued and lets go of the folder.
    pub(crate) async fn close(&self) {}
}

/// The page that tells the way out.
pub(crate) fn code(error: &OpenError) -> Code {
    match error {
        OpenError::Locked => Code::JOURNAL_LOCKED,
        OpenError::Damaged(_) => Code::JOURNAL_DAMAGED,
        OpenError::NewerVersion(_) => Code::JOURNAL_NEWER,
        OpenError::Disk(_) => Code::JOURNAL_FAILED,
    }
}

async fn set(health: &HealthReporter, status: ServingStatus) {
    for service in SERVICES {
        health.set_service_status(service, status).await;
    }
}
