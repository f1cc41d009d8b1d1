//! `passerelle adapter`: the adapters that are built in.

use crate::adapters;
use crate::cli::AdapterCommand;
use crate::failure::Failure;
use crate::reference::fields;

/// Prints the list, or one adapter's description.
pub(super) fn run(command: &AdapterCommand) -> Result<(), Failure> {
    match command {
        AdapterCommand::List => {
            for kind in adapters::table() {
                println!("{:<16} {:<8} {}", kind.name(), kind.maturity().as_str(), kind.summary());
            }
        }
        AdapterCommand::Describe { name, schema: true } => println!("{:#}", adapters::kind(name)?.settings_schema()),
        AdapterCommand::Describe { name, schema: false } => {
            let kind = adapters::kind(name)?;
            println!("{} ({}): {}\n", kind.name(), kind.maturity().as_str(), kind.summary());
            print!("{}", fields::text(&kind.settings_schema()));
        }
    }
    Ok(())
}
