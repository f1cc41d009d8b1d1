//! Traces over OTLP/gRPC: batched, sampled, never in the way of a call.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::level_filters::LevelFilter;
use tracing::{Subscriber, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use super::export::Reported;
use crate::settings::Telemetry;

/// How long one batch may take to reach the collector.
const EXPORT_LIMIT: Duration = Duration::from_secs(5);

/// Only spans of ours are traced: those of the HTTP stack would, among others, trace the export itself.
const OURS: [&str; 2] = ["passerelle", "adapter_"];

/// A tracer that sends to a collector.
pub(super) struct Traces {
    provider: SdkTracerProvider,
}

/// Starts tracing if a collector is set. Connects later and again as needed: a collector that is down is no error.
pub(super) fn start(telemetry: &Telemetry) -> Result<Option<Traces>, ExporterBuildError> {
    let Some(collector) = &telemetry.otlp_endpoint else { return Ok(None) };
    let exporter =
        SpanExporter::builder().with_tonic().with_endpoint(collector.to_string()).with_timeout(EXPORT_LIMIT).build()?;
    let resource = Resource::builder()
        .with_service_name(telemetry.service_name.clone())
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(Reported::new(exporter))
        .with_resource(resource)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(telemetry.sample_ratio))))
        .build();
    Ok(Some(Traces { provider }))
}

impl Traces {
    /// The layer that turns spans of ours into traces.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let ours = Targets::new().with_targets(OURS.map(|target| (target, LevelFilter::DEBUG)));
        let tracer = self.provider.tracer("passerelle");
        // Threads and source lines would be in every span; the names of ours say enough.
        tracing_opentelemetry::layer().with_tracer(tracer).with_threads(false).with_location(false).with_filter(ours)
    }

    /// Sends what waits and ends the exporter's thread, within `limit`.
    pub(super) async fn shut_down(self, limit: Duration) {
        let end = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(limit));
        match tokio::time::timeout(limit, end).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => warn!(%error, "the last traces did not reach the collector"),
            Ok(Err(error)) => warn!(%error, "the last traces did not reach the collector"),
            Err(_) => warn!("the last traces did not reach the collector in time"),
        }
    }
}
