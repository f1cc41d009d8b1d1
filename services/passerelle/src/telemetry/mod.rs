//! What operators see: logs, traces, metrics. Installed once, by the commands that serve.

mod export;
mod logs;
mod metrics;
mod propagation;
#[cfg(test)]
mod tests;
mod traces;

use std::time::Duration;

use tracing::Subscriber;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

pub use self::metrics::install as install_metrics;
pub use self::propagation::{extract_parent, inject};

use self::traces::Traces;
use crate::explain::Code;
use crate::failure::Failure;
use crate::settings::{Log, Telemetry};

/// Logs and traces that are running. [`Running::flush`] before the process ends, or the last traces are lost.
#[must_use = "flush it before the process ends, or the last traces are lost"]
pub struct Running {
    traces: Option<Traces>,
}

/// Starts logs and, where a collector is set, traces. Call it once, inside the tokio runtime: the exporter connects from there.
pub fn start(log: &Log, telemetry: &Telemetry) -> Result<Running, Failure> {
    let (subscriber, running) = build(log, telemetry)?;
    let install = tracing::subscriber::set_global_default(subscriber);
    install.map_err(|error| Failure::new(Code::TELEMETRY_UNUSABLE, error))?;
    Ok(running)
}

impl Running {
    /// Sends what is still waiting to the collector, for at most `limit`; a dead collector does not hold the process longer.
    pub async fn flush(self, limit: Duration) {
        if let Some(traces) = self.traces {
            traces.shut_down(limit).await;
        }
    }
}

fn build(log: &Log, telemetry: &Telemetry) -> Result<(impl Subscriber + Send + Sync + 'static, Running), Failure> {
    let traces = traces::start(telemetry).map_err(|error| Failure::new(Code::TELEMETRY_UNUSABLE, error))?;
    let layer = traces.as_ref().map(Traces::layer::<Registry>);
    let subscriber = tracing_subscriber::registry().with(layer).with(logs::layer(log));
    Ok((subscriber, Running { traces }))
}
