//! The `passerelle` command: the composition root. Only here are settings read, telemetry installed and adapters listed.
#![allow(unreachable_pub, reason = "a binary exports nothing: `pub` says that other modules may use it")]

mod adapters;
mod cli;
mod command;
mod contract_files;
mod contract_store;
mod demo;
mod dynamic;
mod explain;
mod failure;
mod folder;
mod output;
mod recording;
mod reference;
mod route_cases;
mod route_files;
mod serve;
mod settings;
mod telemetry;
mod translation_files;
mod twin;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match command::run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.print(),
    }
}
