//! NATS JetStream: as it comes, and with every write synced before it is acknowledged.

use std::net::SocketAddr;
use std::process::Command;

use passerelle_peers::process::{Process, folder, free_address};

use super::super::wire::{Admin, Nats, Publishing, load};
use super::{IN_FLIGHT, System, Target, converse, killed, write};

/// One server and the ways of publishing to it. By default it syncs every two minutes, and acknowledges before that.
pub(crate) fn nats(always: bool) -> System {
    let (address, process) = start_nats(always, "limits");
    let id = process.id();
    let target = |name, in_flight: &'static [usize], publishing: fn(usize) -> Publishing| Target {
        name,
        is_durable: always,
        in_flight,
        process: id,
        load: Box::new(move |plan| load(plan, 1, || Nats::connect(address, publishing(plan.in_flight)))),
        stored: Some(Box::new(move || converse(Admin(address).count()))),
        clear: Some(Box::new(move || converse(Admin(address).purge()))),
    };
    let targets = if always {
        vec![
            target("NATS always, single", IN_FLIGHT, |_| Publishing::Single),
            target("NATS always, batch of 100", &[512], |_| Publishing::Atomic { messages: 100 }),
            target("NATS always, batch of 500", &[512], |_| Publishing::Atomic { messages: 500 }),
        ]
    } else {
        vec![
            target("NATS default, async", IN_FLIGHT, |_| Publishing::Single),
            target("NATS default, fast", IN_FLIGHT, |in_flight| Publishing::Fast { acknowledge_every: in_flight.div_ceil(3) }),
        ]
    };
    System { targets, end: killed([process]) }
}

/// A server with its stream, which keeps messages by `retention`.
pub(crate) fn start_nats(always: bool, retention: &str) -> (SocketAddr, Process) {
    let address = free_address();
    let folder = folder();
    let sync = if always { "sync_interval: always" } else { "" };
    write(folder.path(), "nats.conf", &format!("listen: \"{address}\"\njetstream {{ store_dir: data\n {sync} }}\n"));
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers/nats/bin/nats-server");
    let mut process = Process::spawn_in("NATS", folder, Command::new(program).args(["-c", "nats.conf"]));
    process.wait_until_listening(address);
    converse(Admin(address).create(retention)).unwrap_or_else(|error| panic!("NATS: {error}"));
    (address, process)
}
