//! `passerelle decision`: what concerns models of decisions as a whole.

mod check;
pub(super) mod model;
mod tck;
mod verify;

use clap::Subcommand;

use crate::failure::Failure;

/// What to do with models of decisions.
#[derive(Debug, Subcommand)]
#[command(about = "Checks models of decisions (DMN): are their tables complete, do certificates hold, do test cases pass")]
pub enum Decision {
    Check(check::Check),
    Verify(verify::Verify),
    Tck(tck::Tck),
}

/// Does what was asked.
pub(super) fn run(command: &Decision) -> Result<(), Failure> {
    match command {
        Decision::Check(check) => check::run(check),
        Decision::Verify(verify) => verify::run(verify),
        Decision::Tck(tck) => tck::run(tck),
    }
}
