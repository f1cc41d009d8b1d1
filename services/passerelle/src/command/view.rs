//! `passerelle view`: the tables that are made of the journal.

use clap::Subcommand;
use passerelle_projection::Projection;

use crate::cli::SettingsFile;
use crate::explain::Code;
use crate::failure::Failure;
use crate::serve::durable::views;

/// What can be done with the views.
#[derive(Debug, Subcommand)]
#[command(about = "Works on the views of a bus that is stopped: the tables that it makes of its journal")]
pub enum View {
    /// Throws the views away; the next start builds them anew from the journal, and logs its progress
    #[command(
        after_help = "Nothing is lost by it: all that the views know is in the journal. Exit codes: 0 done, 1 they are in use."
    )]
    Rebuild(SettingsFile),
}

/// Does what was asked.
pub(super) fn run(command: &View) -> Result<(), Failure> {
    let View::Rebuild(file) = command;
    let path = views(&super::load(file)?.settings);
    Projection::erase(&path).map_err(|error| Failure::new(Code::VIEWS_UNUSABLE, error))?;
    println!("{} is gone; the next start builds it anew from the journal", path.display());
    Ok(())
}
