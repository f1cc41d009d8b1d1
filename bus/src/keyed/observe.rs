//! What is told of the keyed runners: commands by outcome, keys in memory, how late timers fire.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Unit};

use super::{Done, Failure};

/// Commands that were answered.
pub const COMMANDS: &str = "passerelle_keyed_commands_total";
/// Keys that are held in memory.
pub const ACTIVE_KEYS: &str = "passerelle_keyed_active_keys";
/// Seconds from when a timer was due to when it fired.
pub const TIMER_LATENESS: &str = "passerelle_keyed_timer_lateness_seconds";
/// Rounds of firing in which some timer came to nothing; it is tried again.
pub const TIMER_FAILURES: &str = "passerelle_keyed_timer_failures_total";

/// Every metric of the runners with its unit and meaning, for the recorder and the reference page.
pub const METRICS: [(&str, Unit, &str); 4] = [
    (COMMANDS, Unit::Count, "commands answered, by kind and outcome (done, repeated, refused, busy, failed)"),
    (ACTIVE_KEYS, Unit::Count, "keys held in memory, by kind"),
    (TIMER_LATENESS, Unit::Seconds, "time from when a timer was due to when it fired, by kind"),
    (TIMER_FAILURES, Unit::Count, "rounds of firing timers in which some failed and are tried again, by kind"),
];

/// The measuring points of one runner.
pub(super) struct Meter {
    done: Counter,
    repeated: Counter,
    refused: Counter,
    busy: Counter,
    failed: Counter,
    active: AtomicUsize,
    active_keys: Gauge,
    lateness: Histogram,
    timer_failures: Counter,
}

impl Meter {
    pub(super) fn new(kind: &'static str) -> Self {
        let commands = |outcome: &'static str| metrics::counter!(COMMANDS, "kind" => kind, "outcome" => outcome);
        Self {
            done: commands("done"),
            repeated: commands("repeated"),
            refused: commands("refused"),
            busy: commands("busy"),
            failed: commands("failed"),
            active: AtomicUsize::new(0),
            active_keys: metrics::gauge!(ACTIVE_KEYS, "kind" => kind),
            lateness: metrics::histogram!(TIMER_LATENESS, "kind" => kind),
            timer_failures: metrics::counter!(TIMER_FAILURES, "kind" => kind),
        }
    }

    pub(super) fn answered<Answer, Refusal>(&self, outcome: &Result<Done<Answer>, Failure<Refusal>>) {
        let counter = match outcome {
            Ok(Done { repeated: false, .. }) => &self.done,
            Ok(Done { repeated: true, .. }) => &self.repeated,
            Err(Failure::Refused(_)) => &self.refused,
            Err(Failure::Busy) => &self.busy,
            Err(_) => &self.failed,
        };
        counter.increment(1);
    }

    pub(super) fn timer_fired(&self, late: Duration) {
        self.lateness.record(late.as_secs_f64());
    }

    pub(super) fn timer_failed(&self) {
        self.timer_failures.increment(1);
    }

    /// A shard took a key into memory.
    pub(super) fn key_taken(&self) {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.active_keys.increment(1.0);
    }

    /// A shard dropped so many keys from memory.
    pub(super) fn keys_dropped(&self, keys: usize) {
        self.active.fetch_sub(keys, Ordering::Relaxed);
        self.active_keys.decrement(keys as f64);
    }

    /// How many keys are in memory.
    #[cfg(test)]
    pub(super) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }
}
