//! `passerelle adapter`: the adapters that are built in, and the beginning of another one.

mod name;
mod new;
mod python;
mod sample;

pub(crate) use new::New;

use crate::adapters;
use crate::cli::AdapterCommand;
use crate::failure::Failure;
use crate::output::print;
use crate::reference::fields;

/// Prints the list, or one adapter's description; or makes a new one.
pub(super) fn run(command: &AdapterCommand) -> Result<(), Failure> {
    print(&match command {
        AdapterCommand::New(new) => return new::run(new),
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
