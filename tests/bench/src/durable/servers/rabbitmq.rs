//! RabbitMQ: one node, one quorum queue.

use std::net::SocketAddr;
use std::process::Command;

use passerelle_peers::process::{Process, folder, free_address};

use super::super::wire::{RabbitMq, load};
use super::{IN_FLIGHT, System, Target, converse, killed, write};

/// A node with its queue.
pub(crate) fn rabbitmq() -> System {
    let (address, processes) = start_rabbitmq();
    let target = Target {
        name: "RabbitMQ, quorum queue",
        is_durable: true,
        in_flight: IN_FLIGHT,
        process: processes[0].id(),
        load: Box::new(move |plan| load(plan, 1, || RabbitMq::connect(address))),
        stored: Some(Box::new(move || converse(RabbitMq::count(address)))),
        clear: Some(Box::new(move || converse(RabbitMq::purge(address)))),
    };
    System { targets: vec![target], end: killed(processes) }
}

/// A node, with Erlang's port mapper of its own so that none stays behind.
pub(crate) fn start_rabbitmq() -> (SocketAddr, [Process; 2]) {
    let [address, mapper, distribution] = [free_address(), free_address(), free_address()];
    let mapper_port = mapper.port().to_string();
    let mut epmd = Process::spawn("epmd", Command::new("/usr/bin/epmd").args(["-address", "127.0.0.1", "-port", &mapper_port]));
    epmd.wait_until_listening(mapper);

    let folder = folder();
    write(folder.path(), "rabbitmq.conf", &format!("listeners.tcp.default = {address}\n"));
    write(folder.path(), "plugins", "[].");
    let mut command = Command::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
    for (variable, file) in [
        ("HOME", "."),
        ("RABBITMQ_MNESIA_BASE", "data"),
        ("RABBITMQ_LOGS", "rabbitmq.log"),
        ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
    ] {
        command.env(variable, folder.path().join(file));
    }
    command.env("ERL_EPMD_PORT", mapper_port).env("ERL_EPMD_ADDRESS", "127.0.0.1");
    command.env("RABBITMQ_NODENAME", "bench@localhost").env("RABBITMQ_DIST_PORT", distribution.port().to_string());
    command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}");
    let mut process = Process::spawn_in("RabbitMQ", folder, &mut command);
    process.wait_until_listening(address);
    (address, [process, epmd])
}
