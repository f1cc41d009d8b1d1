//! Each call's way through the bus, taken from its spans: the same that a collector gets over OTLP.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::failure::Failure;

/// The span of a whole call; those within it are its steps.
const CALL: &str = "call";

/// What is known of one call when it has ended.
#[derive(Debug)]
pub(crate) struct Way {
    /// Where it went: endpoint, status and so on.
    pub(crate) fields: Fields,
    /// From its headers to the end of its answer.
    pub(crate) took: Duration,
    /// What was done meanwhile, in order.
    pub(crate) steps: Vec<Step>,
}

/// One step of a call.
#[derive(Debug)]
pub(crate) struct Step {
    /// The span's name.
    pub(crate) name: &'static str,
    /// The span's fields.
    pub(crate) fields: Fields,
    /// How long it took.
    pub(crate) took: Duration,
}

/// The fields of a span, as text.
#[derive(Debug, Default)]
pub(crate) struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    /// The value of a field, empty if it has none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// Installs the subscriber of the demo: ways to the receiver, warnings to standard error.
pub(crate) fn watch() -> Result<mpsc::UnboundedReceiver<Way>, Failure> {
    let (ways, receiver) = mpsc::unbounded_channel();
    let spans = Targets::new().with_target("passerelle::call", Level::DEBUG).with_target("adapter_mainframe", Level::DEBUG);
    let warnings =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(Targets::new().with_default(Level::WARN));
    let subscriber = tracing_subscriber::registry().with(Watcher { ways }.with_filter(spans)).with(warnings);
    tracing::subscriber::set_global_default(subscriber).map_err(Failure::plain)?;
    Ok(receiver)
}

struct Watcher {
    ways: mpsc::UnboundedSender<Way>,
}

/// What is kept of a span while it is open.
struct Open {
    since: Instant,
    fields: Fields,
    steps: Vec<Step>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Watcher {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Open { since: Instant::now(), fields, steps: Vec::new() });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(open) = span.extensions_mut().get_mut::<Open>()
        {
            values.record(&mut open.fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(Open { since, fields, steps }) = span.extensions_mut().remove::<Open>() else { return };
        let took = since.elapsed();
        if span.name() == CALL {
            // The demo may have ended; then nobody wants to know.
            let _ = self.ways.send(Way { fields, took, steps });
        } else if let Some(parent) = span.parent()
            && let Some(parent) = parent.extensions_mut().get_mut::<Open>()
        {
            parent.steps.push(Step { name: span.name(), fields, took });
            parent.steps.extend(steps);
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
