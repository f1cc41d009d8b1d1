//! Log lines on standard error, for people or for machines.

use std::io::{IsTerminal, stderr};

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::settings::{Log, LogFormat};

/// The layer that writes log lines.
pub(super) fn layer<S>(log: &Log) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr);
    match log.format {
        LogFormat::Human => lines.compact().with_ansi(is_colour_wanted()).with_filter(log.level.filter()).boxed(),
        LogFormat::Json => {
            let json = lines.json().flatten_event(true).with_current_span(true).with_span_list(false);
            json.with_filter(log.level.filter()).boxed()
        }
    }
}

/// Colour only where a person looks, and not against the person's wish (<https://no-color.org>).
fn is_colour_wanted() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
