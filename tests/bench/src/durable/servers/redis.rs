//! Redis with its append-only file synced before each answer.

use std::process::Command;

use passerelle_peers::process::{Process, folder, free_address};

use super::super::wire::{Redis, load};
use super::{IN_FLIGHT, System, Target, killed, output};

/// It syncs once for all that its sockets brought, so it gets as many connections as messages are in flight.
const CONNECTIONS: usize = 64;

/// A server; its file is never rewritten, which would be in the way of what is measured.
pub(crate) fn redis() -> System {
    let address = free_address();
    let port = address.port().to_string();
    let mut command = Command::new("/usr/bin/redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--daemonize", "no"]);
    command.args(["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"]);
    let mut process = Process::spawn_in("Redis", folder(), &mut command);
    process.wait_until_listening(address);

    let cli = move |words: &[&str]| output(Command::new("/usr/bin/redis-cli").args(["-p", &port]).args(words));
    let count = cli.clone();
    let target = Target {
        name: "Redis, AOF always",
        is_durable: true,
        in_flight: IN_FLIGHT,
        process: process.id(),
        load: Box::new(move |plan| load(plan, CONNECTIONS, || Redis::connect(address))),
        stored: Some(Box::new(move || count(&["xlen", Redis::STREAM])?.parse().map_err(|error| format!("xlen: {error}")))),
        clear: Some(Box::new(move || cli(&["del", Redis::STREAM]).map(drop))),
    };
    System { targets: vec![target], end: killed([process]) }
}
