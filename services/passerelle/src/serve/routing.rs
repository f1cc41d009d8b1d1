//! The set of routes that runs: read from its folder, held against the contracts, replaced whole, and gone back on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use passerelle_bus::contract::Snapshot;
use passerelle_bus::pattern;
use passerelle_bus::route::{RELOADS, ROUTES, Refused, Set, Sources, VERSION};
use passerelle_proto::bus::v1;
use tokio::sync::watch;

use crate::explain::Code;
use crate::failure::Failure;
use crate::route_files::{Known, RouteFolder};
use crate::settings::Settings;

/// The routes of a running bus.
pub(super) struct Routing {
    folder: Option<PathBuf>,
    known: Known,
    state: Mutex<State>,
    /// What is to run beside the routes; see [`Self::patterns`].
    patterns: watch::Sender<Arc<pattern::Set>>,
}

struct State {
    set: Arc<Set>,
    sources: Arc<Sources>,
    /// What ran before the last reload.
    before: Option<Arc<Sources>>,
    version: u64,
    since: SystemTime,
    /// The contracts that the set was held against.
    generation: Option<u64>,
    /// Why it was not held against those of this moment.
    stale: String,
}

impl Routing {
    /// Reads the files; they are held against contracts at the first [`Self::set`].
    pub(super) fn open(settings: &Settings) -> Result<Self, Failure> {
        let routing = Self {
            folder: settings.routes.clone(),
            known: Known::of(settings),
            state: Mutex::new(State {
                set: Arc::default(),
                sources: Arc::default(),
                before: None,
                version: 1,
                since: SystemTime::now(),
                generation: None,
                stale: String::new(),
            }),
            patterns: watch::Sender::default(),
        };
        let sources = routing.read().map_err(|error| Failure::new(Code::ROUTES_REFUSED, error))?;
        routing.state().sources = Arc::new(sources);
        Ok(routing)
    }

    /// The patterns of each set of routes that begins to run after this.
    pub(super) fn patterns(&self) -> watch::Receiver<Arc<pattern::Set>> {
        self.patterns.subscribe()
    }

    /// Holds what was read against these contracts, before anything is served.
    pub(super) fn prove(&self, snapshot: &Snapshot) -> Result<(), Failure> {
        let sources = self.state().sources.clone();
        let set = self.compile(&sources, snapshot).map_err(|error| Failure::new(Code::ROUTES_REFUSED, error))?;
        self.state().run(set, snapshot.generation());
        Ok(())
    }

    /// The set that runs with these contracts. One that does not fit them goes on as it was: that is said, not acted on.
    pub(super) fn set(&self, snapshot: &Snapshot) -> Arc<Set> {
        let mut state = self.state();
        if state.generation != Some(snapshot.generation()) {
            match self.compile(&state.sources, snapshot) {
                Ok(set) => state.run(set, snapshot.generation()),
                Err(refused) => {
                    tracing::error!(code = %Code::ROUTES_REFUSED, "the routes do not fit the contracts any more, and run as they were: {refused}");
                    state.stale = refused.to_string();
                    state.generation = Some(snapshot.generation());
                }
            }
        }
        state.set.clone()
    }

    /// Reads and compiles the files; whether they differ from what runs. They run from [`Self::commit`] on.
    pub(super) fn prepare(&self, snapshot: &Snapshot) -> Result<Prepared, String> {
        let prepared = self.read().and_then(|sources| {
            let set = self.compile(&sources, snapshot).map_err(|error| error.to_string())?;
            let patterns = patterns(&sources)?;
            Ok(Prepared { set, patterns, sources: Arc::new(sources), generation: snapshot.generation() })
        });
        prepared.inspect_err(|error| {
            count("refused");
            tracing::error!(code = %Code::ROUTES_REFUSED, "the route files cannot be used, the routes run as before: {error}");
        })
    }

    /// Whether a prepared set is another one than that which runs.
    pub(super) fn differs(&self, prepared: &Prepared) -> bool {
        let state = self.state();
        state.set.hash() != prepared.set.hash() || !state.stale.is_empty()
    }

    /// Runs a prepared set.
    pub(super) fn commit(&self, prepared: Prepared, outcome: &'static str) {
        let mut state = self.state();
        let Prepared { set, patterns, sources, generation } = prepared;
        self.patterns.send_replace(patterns);
        state.before = Some(std::mem::replace(&mut state.sources, sources));
        state.version += 1;
        state.since = SystemTime::now();
        state.run(set, generation);
        count(outcome);
        tracing::info!(version = state.version, hash = state.set.hash(), routes = state.set.listed().len(), outcome, "routes");
    }

    /// The set before the last reload, compiled again.
    pub(super) fn former(&self, snapshot: &Snapshot) -> Result<Prepared, String> {
        let before = self.state().before.clone().ok_or("there is no set of routes before the one that runs")?;
        let set = self.compile(&before, snapshot).map_err(|error| error.to_string())?;
        Ok(Prepared { set, patterns: patterns(&before)?, sources: before, generation: snapshot.generation() })
    }

    /// What an operator sees of the set that runs.
    pub(super) fn shown(&self) -> v1::RouteSet {
        let state = self.state();
        described(&state.set, state.version, state.since, &state.stale)
    }

    /// What an operator sees of a set that would run next.
    pub(super) fn would_be(&self, prepared: &Prepared) -> v1::RouteSet {
        described(&prepared.set, self.state().version + 1, SystemTime::now(), "")
    }

    /// What an operator sees of the routes that run.
    pub(super) fn listed(&self) -> Vec<v1::Route> {
        let set = self.state().set.clone();
        let route = |listed: &passerelle_bus::route::Listed| v1::Route {
            name: listed.name.clone(),
            place: listed.place.clone(),
            method: listed.method.clone(),
            when: listed.when.clone(),
            to: listed.to.clone(),
            active: listed.active,
        };
        set.listed().iter().map(route).collect()
    }

    fn read(&self) -> Result<Sources, String> {
        let Some(folder) = &self.folder else { return Ok(Sources::default()) };
        let files = RouteFolder::read(folder)?;
        Sources::read(files.routes).map_err(|error| error.to_string())
    }

    fn compile(&self, sources: &Sources, snapshot: &Snapshot) -> Result<Set, Refused> {
        self.known.compile(sources, snapshot)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A set that is compiled and does not run yet.
pub(super) struct Prepared {
    set: Set,
    patterns: Arc<pattern::Set>,
    sources: Arc<Sources>,
    generation: u64,
}

/// The patterns of files.
fn patterns(sources: &Sources) -> Result<Arc<pattern::Set>, String> {
    pattern::Set::compile(sources).map(Arc::new).map_err(|error| error.to_string())
}

impl State {
    fn run(&mut self, set: Set, generation: u64) {
        for (method, routes) in set.waiting() {
            tracing::warn!(method, routes = routes.len(), "routes wait for a method that no contract has");
        }
        metrics::gauge!(ROUTES).set(set.listed().len() as f64);
        metrics::gauge!(VERSION).set(self.version as f64);
        self.set = Arc::new(set);
        self.generation = Some(generation);
        self.stale.clear();
    }
}

fn described(set: &Set, version: u64, since: SystemTime, stale: &str) -> v1::RouteSet {
    v1::RouteSet {
        version,
        hash: set.hash().to_owned(),
        since: Some(since.into()),
        routes: u32::try_from(set.listed().len()).unwrap_or(u32::MAX),
        stale: stale.to_owned(),
    }
}

/// Counts a reload.
pub(super) fn count(outcome: &'static str) {
    metrics::counter!(RELOADS, "outcome" => outcome).increment(1);
}
