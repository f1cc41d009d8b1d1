//! What every scene measures: how late the bus was, and how much memory it took.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_peers::python::Fragile;
use passerelle_system::{Client, Daemon, World};
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::views::page;

pub(super) const BOOK: &str = "/host.v1.Ledger/Book";
/// May be called again.
pub(super) const FLAKY: &str = "/host.v1.Ledger/Flaky";
/// How long callers wait.
pub(super) const DEADLINE: Duration = Duration::from_millis(200);
/// What is kept of a deadline.
const EXCESS: Duration = Duration::from_millis(20);
/// The daemon is built for debugging, and starts with some 40 MiB; a scene may cost it as much again a few times, and no more.
const MEMORY_KIB: u64 = 200 * 1024;

/// A daemon before scripted servers, and what is measured of it.
pub(super) struct Scene {
    pub(super) daemon: Daemon,
    machine: Machine,
    excess: Vec<Duration>,
}

impl Scene {
    /// Starts the daemon before these addresses; `settings` are further ones of the endpoint.
    pub(super) fn before(addresses: &[impl std::fmt::Display], settings: &str) -> Self {
        let addresses: Vec<String> = addresses.iter().map(|address| format!("\"http://{address}\"")).collect();
        let daemon = World::default()
            .copy(&Fragile::contract(), "fragile.proto")
            .settings(&format!(
                "endpoints:\n  ledger:\n    addresses: [{}]\n    contract: {{ proto: [fragile.proto] }}\n{settings}",
                addresses.join(", ")
            ))
            .serve();
        Self { daemon, machine: Machine::watch(), excess: Vec::new() }
    }

    /// One call within [`DEADLINE`].
    pub(super) async fn call(&mut self, path: &str, message: Bytes) -> Result<Bytes, Status> {
        let (outcome, took) = timed(self.daemon.client(), path, message).await;
        self.note(took);
        outcome
    }

    /// So many callers at a time, each of whom calls so often; how often each code came.
    pub(super) async fn storm(&mut self, callers: usize, calls: usize, message: Bytes) -> BTreeMap<&'static str, usize> {
        let mut storm = JoinSet::new();
        for _ in 0..callers {
            let (client, message) = (self.daemon.client(), message.clone());
            storm.spawn(async move {
                let mut seen = Vec::new();
                for _ in 0..calls {
                    let (outcome, took) = timed(client.clone(), BOOK, message.clone()).await;
                    seen.push((outcome.map_or_else(|status| status.code(), |_| Code::Ok), took));
                }
                seen
            });
        }
        let mut codes = BTreeMap::new();
        while let Some(seen) = storm.join_next().await {
            for (code, took) in seen.unwrap() {
                *codes.entry(name(code)).or_default() += 1;
                self.note(took);
            }
        }
        codes
    }

    /// What an operator sees of the endpoint.
    pub(super) fn shown(&self) -> String {
        let admin = format!("http://{}", self.daemon.admin);
        World::default().run(&["endpoint", "show", "ledger", "--admin", &admin]).stdout
    }

    /// Waits until the operator sees that.
    pub(super) async fn until_shown(&self, what: &str) -> String {
        let begun = Instant::now();
        let mut beat = tokio::time::interval(Duration::from_millis(50));
        loop {
            beat.tick().await;
            let shown = self.shown();
            if shown.contains(what) {
                return shown;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "never shown: {what}\n{shown}");
        }
    }

    fn note(&mut self, took: Duration) {
        self.excess.extend(took.checked_sub(DEADLINE));
    }

    /// Prints the figures and holds them against what is promised.
    ///
    /// The promise is held against what the bus itself measures, from the deadline to the outcome: what a caller on this machine sees has
    /// the caller's own delays in it. Other scenes and builds may share the machine's few cores with this daemon, which is built for
    /// debugging: when even a thread that does nothing but wait is woken late, most outcomes must be in time, else all.
    pub(super) fn end(mut self, name: &str) {
        let (over, all) = over_deadline(&self.daemon, "ledger");
        let memory = self.daemon.peak_memory_kib();
        let machine = self.machine.stop();
        self.excess.sort_unstable();
        let seen = self.excess.len().checked_sub(1).map(|last| (self.excess[last / 2], self.excess[last]));
        println!(
            "{name}: of {all} outcomes after the deadline {over} came later than {EXCESS:?}; callers saw (median, most) {seen:?}; \
             the machine itself was late by {machine:?}; {memory} KiB at most"
        );
        let may_be_late = may_be_late(all, machine);
        assert!(over <= may_be_late, "{over} of {all} outcomes came later than {EXCESS:?} after their deadline");
        assert!(memory < MEMORY_KIB, "{memory} KiB");
    }
}

/// As [`Scene::end`], for a ledger's scene that did not watch the machine: most outcomes must be in time.
pub(crate) fn is_bounded(daemon: &Daemon, name: &str) {
    let ((over, all), memory) = (over_deadline(daemon, "ledger"), daemon.peak_memory_kib());
    println!("{name}: of {all} outcomes after the deadline {over} came later than {EXCESS:?}; {memory} KiB at most");
    assert!(over <= all.div_ceil(4), "{over} of {all} outcomes came later than {EXCESS:?} after their deadline");
    assert!(memory < MEMORY_KIB, "{memory} KiB");
}

/// Outcomes of an endpoint that came more than 20 ms after the deadline, and all that came after it.
pub(crate) fn over_deadline(daemon: &Daemon, endpoint: &str) -> (u64, u64) {
    let (_, metrics) = page(daemon.admin, "/metrics");
    let count = |line: &str| metrics.lines().find_map(|text| text.strip_prefix(line)?.trim().parse::<u64>().ok()).unwrap_or(0);
    let bucket = |bound: &str| {
        count(&format!("passerelle_deadline_excess_seconds_bucket{{passerelle_endpoint=\"{endpoint}\",le=\"{bound}\"}}"))
    };
    let all = bucket("+Inf");
    (all - bucket("0.02"), all)
}

async fn timed(client: Client, path: &str, message: Bytes) -> (Result<Bytes, Status>, Duration) {
    let started = Instant::now();
    (client.call_within(DEADLINE, path, message).await, started.elapsed())
}

fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::Unavailable => "UNAVAILABLE",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        _ => "OTHER",
    }
}

/// Outcomes that may be late on a machine that wakes even an idle thread so late.
pub(crate) fn may_be_late(all: u64, machine: Duration) -> u64 {
    if machine > EXCESS / 4 { all.div_ceil(4) } else { 0 }
}

/// Watches how late the machine wakes a thread that does nothing but wait.
pub(crate) struct Machine {
    stop: Sender<()>,
    watcher: Option<JoinHandle<Duration>>,
}

impl Machine {
    pub(crate) fn watch() -> Self {
        const PAUSE: Duration = Duration::from_millis(2);
        let (stop, stopped) = channel();
        let watcher = std::thread::spawn(move || {
            let mut most = Duration::ZERO;
            loop {
                let began = Instant::now();
                if stopped.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                    return most;
                }
                most = most.max(began.elapsed().saturating_sub(PAUSE));
            }
        });
        Self { stop, watcher: Some(watcher) }
    }

    /// The worst of it.
    pub(crate) fn stop(&mut self) -> Duration {
        let _ = self.stop.send(());
        self.watcher.take().map_or(Duration::ZERO, |watcher| watcher.join().unwrap())
    }
}
