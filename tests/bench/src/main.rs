//! Measures Passerelle beside its peers, on one machine, in one run: ratios are what counts.
//!
//! `cargo run --release --bin passerelle-bench -- proxy` (or `durable`) installs the others (apt and pip), builds Passerelle and prints
//! the tables.
#![allow(clippy::panic, clippy::expect_used, reason = "a bench that cannot measure stops")]

mod check;
mod decision;
mod delivery;
mod durable;
mod echo;
mod load;
mod meter;
mod proxy;
mod round;
mod route;
mod table;
mod targets;

use std::process::ExitCode;

const USAGE: &str = "usage: passerelle-bench proxy [--rounds N] [--requests N]
       passerelle-bench durable [--rounds N] [--seconds N] [--only SYSTEM]... [--target PART] [--in-flight N]... [--program PASSERELLE]
       passerelle-bench delivery [--rounds N] [--seconds N] [--only SYSTEM] [--program PASSERELLE]
       passerelle-bench decision [--rounds N] [--seconds N]
       passerelle-bench route [--rounds N] [--requests N] [--without-grpc]

proxy: unary gRPC echo of 256 bytes: direct, and through Passerelle, nginx, HAProxy and Envoy, each with one worker.
durable: messages of 1 KiB into Passerelle's journal, NATS JetStream, RabbitMQ, PostgreSQL and Redis.
delivery: messages of 1 KiB from end to end, through Passerelle, RabbitMQ and NATS JetStream.
decision: message, idempotency key, state and views of one decision; beside the same as one SQLite transaction each.
route: three fields of a message of 10 KiB read off the wire, beside decoding it; 10,000 routes loaded and asked; gRPC calls of 1, 10 and 100 KiB
    routed by their content over 1,000 connections.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match measure(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Does what was asked; `None` for arguments that it does not know.
fn measure(arguments: &[&str]) -> Option<Result<(), String>> {
    match arguments {
        ["echo"] => echo::serve(),
        ["floor"] => durable::floor::serve(),
        ["proxy", options @ ..] => proxy::run(&proxy::Options::parse(options)?),
        ["durable", options @ ..] => return Some(durable::run(&durable::Options::parse(options)?)),
        ["delivery", options @ ..] => return Some(delivery::run(&delivery::Options::parse(options)?)),
        ["decision", options @ ..] => return Some(decision::run(&decision::Options::parse(options)?)),
        ["route", options @ ..] => route::run(&route::Options::parse(options)?),
        _ => return None,
    }
    Some(Ok(()))
}
