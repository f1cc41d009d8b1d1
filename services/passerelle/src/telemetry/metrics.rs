//! Metrics for Prometheus: the recorder, and its upkeep.

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use passerelle_bus::call::observe::{DEADLINE_EXCESS, DURATION_BUCKETS, EXCESS_BUCKETS};

use crate::explain::Code;
use crate::failure::Failure;

/// How often finished observations are folded in, whether or not somebody scrapes: else they pile up in memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// Installs the recorder and keeps it up. Call it once, inside the tokio runtime; the handle renders the metrics page.
pub fn install() -> Result<PrometheusHandle, Failure> {
    let unusable = |error: metrics_exporter_prometheus::BuildError| Failure::new(Code::TELEMETRY_UNUSABLE, error);
    let builder = PrometheusBuilder::new();
    let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS).map_err(unusable)?;
    let excess = Matcher::Full(DEADLINE_EXCESS.to_owned());
    let builder = builder.set_buckets_for_metric(excess, &EXCESS_BUCKETS).map_err(unusable)?;
    let handle = builder.install_recorder().map_err(unusable)?;
    let kept = handle.clone();
    tokio::spawn(async move {
        let mut beat = tokio::time::interval(UPKEEP);
        loop {
            beat.tick().await;
            kept.run_upkeep();
        }
    });
    Ok(handle)
}
