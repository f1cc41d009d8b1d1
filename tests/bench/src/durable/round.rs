//! One measurement of one target with so many messages in flight.

use std::time::{Duration, Instant};

use super::disk::{self, Probe};
use super::flight::{Outcome, Plan};
use super::servers::Target;
use super::syncs::Count;
use crate::meter;

/// Before what is measured.
const WARM_UP: Duration = Duration::from_millis(300);

/// What one load came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) messages_per_second: f64,
    /// Microseconds from publishing to the acknowledgement.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// CPU seconds of the server for 100,000 messages.
    pub(crate) cpu: f64,
    /// Median microseconds of an fdatasync, just before and just after.
    pub(crate) sync: f64,
}

/// Loads a target for so long, once it is warm. Adds what it acknowledged to `acknowledged`.
pub(crate) fn measure(
    target: &Target,
    in_flight: usize,
    lasting: Duration,
    probe: &Probe,
    acknowledged: &mut u64,
) -> Result<Measured, String> {
    disk::settle();
    let mut syncs = probe.times()?;
    let begin = Instant::now() + WARM_UP;
    let plan = Plan { in_flight, begin, end: begin + lasting };
    let (outcome, cpu) = std::thread::scope(|scope| {
        let load = scope.spawn(|| (target.load)(plan));
        let [before, after] = [plan.begin, plan.end].map(|moment| {
            wait_until(moment);
            meter::cpu_seconds(target.process)
        });
        (load.join().unwrap_or_else(|_| Err("the load panicked".to_owned())), after - before)
    });
    let mut outcome = outcome?;
    syncs.extend(probe.times()?);
    settle(target, &outcome)?;
    *acknowledged += outcome.acknowledged;
    Ok(Measured {
        messages_per_second: outcome.measured as f64 / lasting.as_secs_f64(),
        p50: hundredth(&mut outcome.latencies, 50),
        p99: hundredth(&mut outcome.latencies, 99),
        cpu: cpu * 100_000.0 / outcome.measured.max(1) as f64,
        sync: hundredth(&mut syncs, 50),
    })
}

/// Syncs asked of the disk for each message acknowledged, in a short load of its own.
pub(crate) fn count_syncs(target: &Target, in_flight: usize, acknowledged: &mut u64) -> Result<f64, String> {
    disk::settle();
    let count = Count::begin(target.process)?;
    let begin = Instant::now();
    let outcome = (target.load)(Plan { in_flight, begin, end: begin + Duration::from_secs(1) })?;
    let syncs = count.end()?;
    settle(target, &outcome)?;
    *acknowledged += outcome.acknowledged;
    Ok(syncs as f64 / outcome.acknowledged.max(1) as f64)
}

/// The target holds what it acknowledged; then it holds nothing.
fn settle(target: &Target, outcome: &Outcome) -> Result<(), String> {
    if let Some(stored) = &target.stored {
        let stored = stored()?;
        if stored != outcome.acknowledged {
            return Err(format!("{} messages were acknowledged and {stored} are stored", outcome.acknowledged));
        }
    }
    target.clear.as_ref().map_or(Ok(()), |clear| clear())
}

pub(crate) fn wait_until(moment: Instant) {
    while let Some(left) = moment.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

/// The value that so many hundredths are not above.
pub(crate) fn hundredth(values: &mut [u32], hundredth: usize) -> f64 {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) * hundredth / 100).map_or(f64::NAN, |&value| f64::from(value))
}
