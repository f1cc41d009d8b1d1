//! An exporter whose failures are told, but not more than once a minute.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tracing::warn;

/// A collector that is down fails every batch; one line a minute says so well enough.
const QUIET: Duration = Duration::from_secs(60);

/// Wraps an exporter and logs its failures.
#[derive(Debug)]
pub(super) struct Reported<E> {
    exporter: E,
    silence: Mutex<Silence>,
}

impl<E> Reported<E> {
    pub(super) fn new(exporter: E) -> Self {
        Self { exporter, silence: Mutex::new(Silence::default()) }
    }
}

impl<E: SpanExporter> SpanExporter for Reported<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let result = self.exporter.export(batch).await;
        if let Err(error) = &result {
            let lost = self.silence.lock().unwrap_or_else(std::sync::PoisonError::into_inner).break_with(spans, Instant::now());
            if let Some(spans) = lost {
                warn!(%error, spans, "traces do not reach the collector and are lost; this is said at most once a minute");
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// When something was last said, and what was not said since.
#[derive(Debug, Default)]
struct Silence {
    spoke: Option<Instant>,
    spans: u64,
}

impl Silence {
    /// Counts lost spans; returns how many were lost since it last spoke, if it is time to speak again.
    fn break_with(&mut self, spans: u64, now: Instant) -> Option<u64> {
        self.spans += spans;
        if self.spoke.is_some_and(|then| now.saturating_duration_since(then) < QUIET) {
            return None;
        }
        self.spoke = Some(now);
        Some(std::mem::take(&mut self.spans))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_spans_are_told_once_a_minute_with_their_number() {
        let (mut silence, start) = (Silence::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(silence.break_with(5, start), Some(5));
        assert_eq!(silence.break_with(7, after(30)), None);
        assert_eq!(silence.break_with(1, after(59)), None);
        assert_eq!(silence.break_with(2, after(60)), Some(10));
    }
}
