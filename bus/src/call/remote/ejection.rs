//! Compares what the servers of an endpoint did, ejects those that do worse than the others, lets others return.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use metrics::Gauge;
use tokio::time::MissedTickBehavior;

use super::super::observe::{SERVERS_EJECTED, SERVERS_EJECTIONS};
use super::super::policy::OutlierSettings;
use super::super::policy::outlier::{Address, Change, blame, is_blamed, sweep};
use super::connection::Queue;
use super::fleet::{Fleet, Server, Servers};

/// Those of an endpoint's servers that stand out.
pub(super) struct Outliers {
    endpoint: String,
    fleet: Arc<Fleet>,
    queue: Arc<Queue>,
    settings: OutlierSettings,
    /// Held by who looks.
    ejected: Mutex<Gauge>,
}

impl Outliers {
    pub(super) fn new(endpoint: &str, fleet: Arc<Fleet>, queue: Arc<Queue>, settings: OutlierSettings) -> Self {
        let ejected = Mutex::new(metrics::gauge!(SERVERS_EJECTED, "passerelle_endpoint" => endpoint.to_owned()));
        Self { endpoint: endpoint.to_owned(), fleet, queue, settings, ejected }
    }

    /// Looks once an interval, until the endpoint is given up (its task is aborted then).
    pub(super) async fn run(self: Arc<Self>) {
        let first = tokio::time::Instant::now() + self.settings.interval;
        let mut beat = tokio::time::interval_at(first, self.settings.interval);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = beat.tick().await.into_std();
            self.look(now, |servers| {
                let mut addresses: Vec<_> = servers.all.iter().map(|server| server.track.take()).collect();
                let changes = sweep(&self.settings, now, &mut addresses, &mut || fastrand::u32(0..100));
                (addresses, changes)
            });
        }
    }

    /// Ejects single servers that are at fault, before the interval is over, if there are such and others do well. Says whether the fault is with
    /// single servers, those that were ejected before included.
    pub(super) fn blame(&self, now: Instant) -> bool {
        let mut known = false;
        let changed = self.look(now, |servers| {
            let mut addresses: Vec<_> = servers.all.iter().map(|server| server.track.peek()).collect();
            known = is_blamed(&addresses);
            let changes = blame(&self.settings, now, &mut addresses, &mut || fastrand::u32(0..100));
            (addresses, changes)
        });
        known || changed
    }

    /// Whether anything changed.
    fn look(&self, now: Instant, judge: impl FnOnce(&Servers) -> (Vec<Address>, Vec<(usize, Change)>)) -> bool {
        let gauge = self.ejected.lock().unwrap_or_else(PoisonError::into_inner);
        let servers = self.fleet.servers();
        let (addresses, changes) = judge(&servers);
        servers.all.iter().zip(&addresses).for_each(|(server, address)| server.track.put(address));
        gauge.set(servers.all.iter().filter(|server| server.track.is_ejected()).count() as f64);
        for (server, change) in changes.iter().filter_map(|(index, change)| Some((servers.all.get(*index)?, change))) {
            self.tell(server, *change, now);
        }
        if !changes.is_empty() {
            // Who waits may have somewhere to go now.
            self.queue.freed.notify_waiters();
        }
        !changes.is_empty()
    }

    fn tell(&self, server: &Server, change: Change, now: Instant) {
        let (endpoint, address) = (&self.endpoint, server.label());
        match change {
            Change::Ejected(ejection) => {
                metrics::counter!(SERVERS_EJECTIONS, "passerelle_endpoint" => endpoint.clone()).increment(1);
                let (calls, failed) = (ejection.calls.good + ejection.calls.bad, ejection.calls.bad);
                let for_ms = ejection.until.saturating_duration_since(now).as_millis() as u64;
                tracing::warn!(endpoint, address, calls, failed, for_ms, "a server fails and gets no calls for a while");
            }
            Change::Returned => tracing::info!(endpoint, address, "a server gets calls again"),
        }
    }
}
