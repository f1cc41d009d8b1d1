//! What is told of the projection: two numbers, and its progress while there is much to fold.

use std::time::{Duration, Instant};

use metrics::Unit;
use passerelle_journal::Position;

use crate::Health;

/// Records that are in the journal and not yet in the tables.
pub const LAG: &str = "passerelle_projection_lag_records";
/// Position up to which the tables follow.
pub const POSITION: &str = "passerelle_projection_position";

/// Every metric of the projection with its unit and meaning, for the recorder and the reference page.
pub const METRICS: [(&str, Unit, &str); 2] = [
    (LAG, Unit::Count, "records in the journal that the views do not show yet"),
    (POSITION, Unit::Count, "position of the last record that all views show"),
];

/// How often progress is logged.
const EVERY: Duration = Duration::from_secs(1);

/// Sets both. A gauge holds positions exactly up to 2^53.
pub(crate) fn progress(position: Position, last: Position) {
    metrics::gauge!(POSITION).set(position.0 as f64);
    metrics::gauge!(LAG).set(last.0.saturating_sub(position.0) as f64);
}

/// The way from where the tables were at the start to what was in the journal then.
#[derive(Debug)]
pub(crate) struct Progress {
    from: Position,
    to: Position,
    told: Instant,
    started: Instant,
    done: bool,
}

impl Progress {
    pub(crate) fn new(from: Position, to: Position) -> Self {
        let now = Instant::now();
        Self { from, to, told: now, started: now, done: from >= to }
    }

    /// What the health is at `position`. Logs the way there each second, and its end if it took longer than that.
    pub(crate) fn at(&mut self, position: Position, last: Position) -> Health {
        if position < self.to {
            if self.told.elapsed() >= EVERY {
                self.told = Instant::now();
                tracing::info!(done = position.0, total = last.0, "building the views from the journal");
            }
            return Health::Building { to: self.to };
        }
        if !std::mem::replace(&mut self.done, true) && self.started.elapsed() >= EVERY {
            let (records, seconds) = (position.0 - self.from.0, self.started.elapsed().as_secs());
            tracing::info!(records, seconds, "the views are built");
        }
        Health::Following
    }
}
