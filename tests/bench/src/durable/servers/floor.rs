//! The floor: a program of the bench itself.

use std::net::SocketAddr;
use std::process::Command;

use passerelle_peers::process::{Process, folder};

use super::super::floor::Floor;
use super::super::wire::load;
use super::{FLOOR, System, Target, killed};

/// This program once more, as that server.
pub(crate) fn floor() -> System {
    let program = std::env::current_exe().expect("this program's path");
    let process = Process::spawn_in("floor", folder(), Command::new(program).arg("floor"));
    let port: u16 = process.line_after("listening ").parse().expect("a port");
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let target = Target {
        name: FLOOR,
        is_durable: true,
        in_flight: &[64],
        process: process.id(),
        load: Box::new(move |plan| load(plan, 1, || Floor::connect(address))),
        stored: None,
        clear: None,
    };
    System { targets: vec![target], end: killed([process]) }
}
