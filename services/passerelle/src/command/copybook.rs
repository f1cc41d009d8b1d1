//! `passerelle copybook`: from COBOL copybooks to contracts and layouts.

use crate::cli::CopybookCommand;
use crate::failure::Failure;

/// Writes a contract, or prints a layout.
pub(super) fn run(command: &CopybookCommand) -> Result<(), Failure> {
    let (CopybookCommand::Proto { file } | CopybookCommand::Layout { file }) = command;
    Err(Failure::plain(format!("{}: not built in yet", file.display())))
}
