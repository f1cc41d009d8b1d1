//! `passerelle serve`: settings in, two open ports out, drained at the end.

mod admin;
pub(crate) mod clock;
pub(crate) mod contracts;
mod deadline;
pub(crate) mod dial;
mod drift;
pub(crate) mod durable;
mod endpoints;
pub(crate) mod front;
pub(crate) mod listener;
mod names;
mod operators;
mod patterns;
mod readiness;
pub(crate) mod reads;
mod routes;
mod routing;
pub(crate) mod tls;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use metrics::Unit;
use metrics_exporter_prometheus::PrometheusHandle;
use passerelle_bus::call::observe::{METRICS, Propagation};
use passerelle_bus::call::{CallLimits, Endpoint, Gateway};
use passerelle_bus::contract::{self, Consumers, Registry};
use passerelle_bus::{keyed, route};
use passerelle_journal::storage::Directory;
use passerelle_services::admin::RouteFiles as _;
use passerelle_services::delivery::Calls;
use passerelle_services::journal as journal_service;
use prost_reflect::MessageDescriptor;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use self::admin::Admin;
use self::deadline::Deadline;
use self::drift::DriftWatch;
use self::durable::Durable;
use self::front::Front;
use self::listener::{Listener, ListenerLimits, Running};
use self::readiness::Readiness;
use self::routes::{Routes, Template, Ways};
use self::routing::Routing;
use crate::cli::SettingsFile;
use crate::contract_store::FolderStore;
use crate::explain::Code;
use crate::failure::Failure;
use crate::settings::{ListenAddress, ListenerTls, Loaded, Settings};
use crate::{telemetry, translation_files};

/// How long the last traces may take to leave.
const FLUSH: Duration = Duration::from_secs(3);

/// Serves until SIGTERM or SIGINT, then drains. A second signal ends it at once.
pub(crate) fn run(file: &SettingsFile) -> Result<(), Failure> {
    let loaded = crate::command::load(file)?;
    runtime(loaded.settings.worker_threads())?.block_on(serve(loaded))
}

/// One thread needs no scheduler between threads: a fifth less CPU for each call.
pub(crate) fn runtime(workers: usize) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = match workers {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.worker_threads(workers).enable_all().build().map_err(Failure::plain)
}

async fn serve(loaded: Loaded) -> Result<(), Failure> {
    let telemetry = telemetry::start(&loaded.settings.log, &loaded.settings.telemetry)?;
    let metrics = telemetry::install_metrics()?;
    let mut stop = Signals::new()?;
    let daemon = Daemon::start(&loaded, metrics).await?;
    // Said on standard output, for people and for whoever starts us with port 0.
    println!("ready: channels {}, admin {}", daemon.channels, daemon.admin);
    stop.next().await;
    let grace = loaded.settings.drain.grace();
    tokio::select! {
        () = daemon.drain(grace) => {}
        () = stop.next() => tracing::warn!("stopped by a second signal, calls in flight are cut"),
    }
    telemetry.flush(FLUSH).await;
    Ok(())
}

/// SIGTERM and SIGINT, one after another.
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    pub(crate) fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(Failure::plain);
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// A running bus.
pub(crate) struct Daemon {
    /// Where channels connect.
    pub(crate) channels: SocketAddr,
    /// Where operators connect.
    pub(crate) admin: SocketAddr,
    listeners: (Running, Running),
    endpoints: BTreeMap<String, Arc<Endpoint>>,
    registry: Arc<Registry>,
    health: HealthReporter,
    ready: Arc<Readiness>,
    durable: Arc<Durable>,
    /// Reflection of back offices and the following of the registry; ended when dropped.
    background: JoinSet<()>,
    /// Takes what adapters receive.
    receiving: JoinSet<()>,
    /// The claim on the data folder.
    _data_dir: File,
}

impl Daemon {
    /// Opens everything. The back offices need not be up.
    pub(crate) async fn start(loaded: &Loaded, metrics: PrometheusHandle) -> Result<Self, Failure> {
        let settings = &loaded.settings;
        describe_metrics();
        let channels = listener("channels", settings.listen, settings.tls.as_ref(), settings).await?;
        let administration = listener("admin", settings.admin.listen, settings.admin.tls.as_ref(), settings).await?;
        let (at, admin_at) = (channels.address(), administration.address());

        let data_dir = claim(&settings.data_dir)?;
        let registry = registry(&settings.data_dir)?.judging_by(settings.compatibility.policy());
        let registry = Arc::new(registry.counting_by(Consumers::named_by(settings.channels.resolved().name_key.clone())));
        let gateway = Arc::new(Gateway::new(limits(settings), propagation(settings)));
        let (health, health_service) = tonic_health::server::health_reporter();
        let endpoints::Opened { endpoints, adapters, desks, to_come } = endpoints::open(loaded, &registry).await?;
        let channel_key = settings.channels.resolved().name_key.clone();
        let calls = Calls { gateway: gateway.clone(), registry: registry.clone(), channel_key };
        let durable = Arc::new(Durable::open(settings, desks, calls).await?);
        let routing = Routing::open(settings)?;
        routing.prove(&registry.snapshot())?;
        let mut background = JoinSet::new();
        background.spawn(patterns::follow(durable.patterns(), routing.patterns()));
        let routes = Routes::new(
            registry.clone(),
            gateway.clone(),
            health.clone(),
            endpoints.clone(),
            Template { reached: endpoints::template(settings), around: endpoints::nothing_declared(settings) },
            Ways {
                routing: Arc::new(routing),
                translations: translation_files::open(settings.translations.as_deref(), &registry)?,
            },
        );
        routes.rebuild();

        background.spawn(routes.clone().follow());
        background.spawn(reload_at_hangup(routes.clone())?);
        for endpoint in endpoints.values() {
            background.spawn(endpoints::look(endpoint.clone()));
        }
        for (name, adapter) in to_come {
            background.spawn(contracts::of_adapter_to_come(registry.clone(), name, adapter));
        }
        for (name, remote) in endpoints::reflected(loaded) {
            background.spawn(contracts::keep_reflecting(registry.clone(), name, remote));
        }
        let declared = endpoints::reflected(loaded).collect();
        background.spawn(DriftWatch::new(registry.clone(), routes.clone(), declared).run());
        background.spawn(durable.clone().watch(health.clone()));
        background.spawn(durable.clone().retain());
        let mut receiving = JoinSet::new();
        for (name, adapter) in adapters {
            let durable = durable.clone();
            receiving.spawn(async move { durable.receive(&name, adapter.as_ref()).await });
        }
        let ready = Arc::new(Readiness::new(durable.clone()));
        let own = operators::for_channels(health_service.clone(), registry.clone(), &durable).map_err(Failure::plain)?;
        let recorders = gateway.recorders().clone();
        let services =
            operators::for_operators(health_service, registry.clone(), routes, recorders, &durable).map_err(Failure::plain)?;
        let admin = Admin::new(metrics, durable.clone(), ready.clone(), services);
        let listeners = (channels.run(Front::new(gateway, own)), administration.run(admin));
        Ok(Self {
            channels: at,
            admin: admin_at,
            listeners,
            endpoints,
            registry,
            health,
            ready,
            durable,
            background,
            receiving,
            _data_dir: data_dir,
        })
    }

    /// Waits until the method of `path` is registered.
    pub(crate) async fn serves(&self, path: &str) {
        let mut changes = self.registry.changes();
        while self.types(path).is_none() && changes.changed().await.is_ok() {}
    }

    /// The types of a registered method's request and answer.
    pub(crate) fn types(&self, path: &str) -> Option<(MessageDescriptor, MessageDescriptor)> {
        self.registry.snapshot().method(path).map(|method| (method.input.clone(), method.output.clone()))
    }

    /// Says that it goes, takes nothing new, ends what is in flight, closes what stands behind.
    pub(crate) async fn drain(mut self, grace: Duration) {
        self.ready.drain();
        self.durable.end_streams().await;
        self.receiving.shutdown().await;
        self.health.set_service_status("", ServingStatus::NotServing).await;
        let deadline = Deadline::after(grace);
        let (channels, admin) = self.listeners;
        if !channels.drain(grace).await {
            tracing::warn!(grace_ms = grace.as_millis() as u64, "some calls did not end within the grace and are cut");
        }
        let left = deadline.left();
        let closing: JoinSet<()> =
            self.endpoints.values().cloned().map(|endpoint| async move { endpoint.drain(left).await }).collect();
        closing.join_all().await;
        self.background.shutdown().await;
        self.durable.close(deadline.left()).await;
        admin.drain(deadline::LEAST).await;
        tracing::info!("drained");
    }
}

/// Reads the route files anew at every SIGHUP. What is wrong with them is logged, and changes nothing.
fn reload_at_hangup(routes: Arc<Routes>) -> Result<impl Future<Output = ()>, Failure> {
    let mut hangups = signal(SignalKind::hangup()).map_err(Failure::plain)?;
    Ok(async move {
        while hangups.recv().await.is_some() {
            let routes = routes.clone();
            // The outcome is logged where it is known.
            let _ = tokio::task::spawn_blocking(move || routes.reload(false)).await;
        }
    })
}

/// One running Passerelle a folder: two would overwrite each other's contracts. Held until the file is dropped.
fn claim(data_dir: &Path) -> Result<File, Failure> {
    let unusable = |why: String| Failure::new(Code::DATA_DIR_UNUSABLE, format!("data_dir {}: {why}", data_dir.display()));
    // With durable names: the journal below is of no use if the folder itself is gone after a power cut.
    Directory::open(data_dir).map_err(|error| unusable(error.to_string()))?;
    let lock = File::create(data_dir.join("lock")).map_err(|error| unusable(error.to_string()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(unusable("another Passerelle is using it; give this one a data_dir of its own".to_owned()))
        }
        Err(TryLockError::Error(error)) => Err(unusable(error.to_string())),
    }
}

fn registry(data_dir: &Path) -> Result<Registry, Failure> {
    let store = FolderStore::open(data_dir.join("contracts")).map_err(|error| Failure::new(Code::DATA_DIR_UNUSABLE, error))?;
    Registry::open(Arc::new(store)).map_err(|error| Failure::new(Code::CONTRACTS_DAMAGED, error))
}

async fn listener(
    name: &'static str,
    address: ListenAddress,
    tls: Option<&ListenerTls>,
    settings: &Settings,
) -> Result<Listener, Failure> {
    let tls = tls.map(tls::acceptor).transpose().map_err(|error| Failure::new(Code::TLS_UNUSABLE, error))?;
    let limits = ListenerLimits {
        connections: settings.limits.connections as usize,
        streams_per_connection: settings.limits.streams_per_connection,
        metadata_bytes: settings.limits.metadata_bytes,
        handshake: settings.limits.handshake(),
    };
    let bound = Listener::bind(name, address.0, tls, limits).await;
    bound.map_err(|error| Failure::new(Code::ADDRESS_UNUSABLE, format!("cannot listen on {address} ({name}): {error}")))
}

fn limits(settings: &Settings) -> CallLimits {
    CallLimits {
        // Settings allow 1 GiB at most.
        message_bytes: u32::try_from(settings.limits.message_bytes).unwrap_or(u32::MAX),
        default_timeout: settings.limits.deadline(),
    }
}

/// Only where traces are kept; otherwise a caller's own trace context passes through as it is.
fn propagation(settings: &Settings) -> Option<Propagation> {
    let on = settings.telemetry.otlp_endpoint.is_some();
    on.then_some(Propagation { extract: telemetry::extract_parent, inject: telemetry::inject })
}

/// Name, unit and meaning of every metric there is.
pub(crate) fn every_metric() -> impl Iterator<Item = (&'static str, Unit, &'static str)> {
    METRICS
        .into_iter()
        .chain(contract::METRICS)
        .chain(route::METRICS)
        .chain(durable::METRICS)
        .chain(passerelle_services::delivery::METRICS)
        .chain(passerelle_projection::METRICS)
        .chain(keyed::observe::METRICS)
        .chain(journal_service::METRICS)
}

fn describe_metrics() {
    for (name, unit, meaning) in every_metric() {
        match name {
            name if name.ends_with("_timestamp_seconds") => metrics::describe_gauge!(name, unit, meaning),
            name if name.ends_with("_seconds") => metrics::describe_histogram!(name, unit, meaning),
            name if name.ends_with("_total") => metrics::describe_counter!(name, unit, meaning),
            name => metrics::describe_gauge!(name, unit, meaning),
        }
    }
}
