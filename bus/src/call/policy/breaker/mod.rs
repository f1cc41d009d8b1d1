//! The circuit breaker of an endpoint: a back office that fails is left alone for a while, and then asked by a few calls first.
//!
//! While it is closed, a call that goes well costs it one atomic operation, and the question whether it may go another one.

mod machine;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metrics::Gauge;

use self::machine::{Machine, State};
use super::super::observe::{BREAKER_OPEN, BREAKER_OPENED};
use super::outlier::Blame;
use super::settings::BreakerSettings;
use super::shed::{Reason, Shed};

/// The breaker of one endpoint.
pub(super) struct Breaker {
    endpoint: String,
    is_closed: AtomicBool,
    /// Calls that went well in the present span of counting.
    good: AtomicU64,
    machine: Mutex<Machine>,
    gauge: Gauge,
    blame: Option<Blame>,
}

/// What a call tells of its back office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is there.
    Good,
    /// It is in trouble.
    Bad,
    /// Nothing.
    Silent,
}

/// What an operator sees of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerStatus {
    /// Calls go through.
    Closed,
    /// Calls are turned away for so long.
    Open(Duration),
    /// A few calls go through, to find out.
    HalfOpen,
}

impl Breaker {
    pub(super) fn new(endpoint: &str, settings: BreakerSettings, now: Instant) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            is_closed: AtomicBool::new(true),
            good: AtomicU64::new(0),
            machine: Mutex::new(Machine::new(settings, now)),
            gauge: metrics::gauge!(BREAKER_OPEN, "passerelle_endpoint" => endpoint.to_owned()),
            blame: None,
        }
    }

    /// Before the whole is left alone, `blame` may find that single servers are at fault, and leave those alone.
    pub(super) fn blaming(self, blame: Option<Blame>) -> Self {
        Self { blame, ..self }
    }

    /// Whether all calls go through.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Turns a call away that has no chance, without letting it through yet.
    pub(super) fn look(&self, now: Instant) -> Result<(), Shed> {
        if self.is_closed() {
            return Ok(());
        }
        self.machine().look(now).map_err(shed)
    }

    /// Lets a call through, as a probe (`true`) or as usual.
    pub(super) fn admit(&self, now: Instant) -> Result<bool, Shed> {
        if self.is_closed() {
            return Ok(false);
        }
        self.machine().admit(now).map_err(shed)
    }

    /// A call that was let through has ended.
    pub(super) fn ended(&self, now: Instant, verdict: Verdict, is_probe: bool) {
        match (is_probe, verdict) {
            (true, Verdict::Good) => self.change(now, |machine| machine.probed(now, Some(true))),
            (true, Verdict::Bad) => self.change(now, |machine| machine.probed(now, Some(false))),
            (true, Verdict::Silent) => self.change(now, |machine| machine.probed(now, None)),
            (false, Verdict::Good) => {
                self.good.fetch_add(1, Ordering::Relaxed);
            }
            (false, Verdict::Bad) => self.change(now, |machine| {
                let is_over = machine.is_over(now);
                let good = if is_over { self.good.swap(0, Ordering::Relaxed) } else { self.good.load(Ordering::Relaxed) };
                machine.failed(now, good);
            }),
            (false, Verdict::Silent) => {}
        }
    }

    pub(super) fn status(&self, now: Instant) -> BreakerStatus {
        match self.machine().state() {
            State::Closed => BreakerStatus::Closed,
            State::Open { until } => BreakerStatus::Open(until.saturating_duration_since(now)),
            State::HalfOpen { .. } => BreakerStatus::HalfOpen,
        }
    }

    fn change(&self, now: Instant, change: impl FnOnce(&mut Machine)) {
        let mut machine = self.machine();
        let before = machine.state();
        change(&mut machine);
        let opens = !matches!(before, State::Open { .. }) && matches!(machine.state(), State::Open { .. });
        if opens && self.blame.as_ref().is_some_and(|blame| blame(now)) {
            self.good.store(0, Ordering::Relaxed);
            machine.spare(now);
        }
        match (before, machine.state()) {
            (State::Closed | State::HalfOpen { .. }, State::Open { until }) => {
                self.is_closed.store(false, Ordering::Relaxed);
                self.gauge.set(1.0);
                metrics::counter!(BREAKER_OPENED, "passerelle_endpoint" => self.endpoint.clone()).increment(1);
                let millis = until.saturating_duration_since(now).as_millis() as u64;
                tracing::warn!(
                    endpoint = self.endpoint,
                    again_in_ms = millis,
                    "the back office fails and is left alone for a while"
                );
            }
            (State::HalfOpen { .. }, State::Closed) => {
                self.good.store(0, Ordering::Relaxed);
                self.is_closed.store(true, Ordering::Relaxed);
                self.gauge.set(0.0);
                tracing::info!(endpoint = self.endpoint, "the back office answers again");
            }
            _ => {}
        }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Breaker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Breaker").field("machine", &self.machine).finish_non_exhaustive()
    }
}

fn shed(wait: Duration) -> Shed {
    Shed { reason: Reason::Failing, come_back: Some(wait.max(Duration::from_millis(1))) }
}
