//! `passerelle adapter`: the adapters that are built in, listed, described, and served as processes of their own; the beginning of another one.

mod name;
mod new;
mod python;
mod rust;
mod sample;

use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter_server::{Lifeline, Limits, Listen, Serving, serve_started};

pub(crate) use new::New;

use crate::adapters;
use crate::cli::{AdapterCommand, ServeAdapter};
use crate::explain::Code;
use crate::failure::Failure;
use crate::output::print;
use crate::reference::fields;
use crate::settings::{Log, ProcessSecrets, Telemetry};

/// The processors that a process of one adapter uses.
const SERVING_THREADS: usize = 2;

/// Prints the list or one adapter's description, serves one, or makes a new one.
pub(super) fn run(command: &AdapterCommand) -> Result<(), Failure> {
    print(&match command {
        AdapterCommand::New(new) => return new::run(new),
        AdapterCommand::Serve(arguments) => return crate::serve::runtime(SERVING_THREADS)?.block_on(serve_one(arguments)),
        AdapterCommand::List => list(),
        AdapterCommand::Describe { name, schema: true } => format!("{:#}\n", adapters::kind(name)?.settings_schema()),
        AdapterCommand::Describe { name, schema: false } => {
            let kind = adapters::kind(name)?;
            let fields = fields::text(&kind.settings_schema());
            format!("{} ({}): {}\n\n{fields}", kind.name(), kind.maturity().as_str(), kind.summary())
        }
    });
    Ok(())
}

fn list() -> String {
    let line =
        |kind: &dyn passerelle_adapter::Kind| format!("{:<16} {:<8} {}\n", kind.name(), kind.maturity().as_str(), kind.summary());
    adapters::table().iter().map(|kind| line(kind.as_ref())).collect()
}

/// Until SIGTERM; the settings come from the bus.
async fn serve_one(arguments: &ServeAdapter) -> Result<(), Failure> {
    let kind = adapters::kind(&arguments.kind)?;
    let listen: Listen = arguments.listen.parse().map_err(Failure::usage)?;
    let _telemetry = crate::telemetry::start(&Log::default(), &Telemetry::default())?;
    let serving = Serving {
        kind,
        release: env!("CARGO_PKG_VERSION").to_owned(),
        listen: listen.clone(),
        secrets: Arc::new(ProcessSecrets::new(".")),
        limits: Limits::default(),
        grace: Duration::from_secs(arguments.grace_seconds),
    };
    let lifeline = Lifeline::told(arguments.lifeline.as_deref());
    let served = serve_started(serving, lifeline, |at| println!("ready: {at}")).await;
    served.map_err(|error| Failure::new(Code::ADDRESS_UNUSABLE, format!("cannot serve on {listen}: {error}")))
}
