//! Passerelle: the daemon as it comes, checksums and recognition of repeated messages included.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use passerelle_journal::log::check;
use passerelle_journal::storage::Directory;
use passerelle_peers::process::{Process, folder};

use super::super::flight::{Outcome, Plan};
use super::super::grpc;
use super::{IN_FLIGHT, System, Target, write};

/// A journal that has run for a while uses its segments again: so it keeps little, to be measured like that soon. Else defaults.
const SETTINGS: &str = "listen: 127.0.0.1:0\nadmin: { listen: '127.0.0.1:0' }\ndata_dir: data\nlog: { level: warn }\n\
                        journal: { retain_mib: 512 }\n";

/// A daemon with an empty journal.
pub(crate) fn passerelle(program: &Path) -> System {
    let ([address, _], process) = start_passerelle(program, "");
    let id = process.id();
    let target = |name, load: fn(SocketAddr, Plan) -> Result<Outcome, String>| Target {
        name,
        is_durable: true,
        in_flight: IN_FLIGHT,
        process: id,
        load: Box::new(move |plan| load(address, plan)),
        // Its journal is checked as files once it has ended.
        stored: None,
        clear: None,
    };
    let targets = vec![target("Passerelle, stream", grpc::stream), target("Passerelle, unary", grpc::unary)];
    System { targets, end: Box::new(|acknowledged| end(process, acknowledged)) }
}

/// A daemon with an empty journal and these settings besides: where channels and where operators connect.
pub(crate) fn start_passerelle(program: &Path, settings: &str) -> ([SocketAddr; 2], Process) {
    let folder = folder();
    write(folder.path(), "passerelle.yaml", &format!("{SETTINGS}{settings}"));
    let mut command = Command::new(program);
    command.args(["serve", "--settings", "passerelle.yaml"]);
    let process = Process::spawn_in("Passerelle", folder, &mut command);
    let ready = process.line_after("ready: channels ");
    let addresses = ready.split_once(", admin ").map(|(channels, admin)| [channels, admin.trim()].map(str::parse));
    let Some([Ok(channels), Ok(admin)]) = addresses else { panic!("not ready: channels ADDRESS, admin ADDRESS: {ready}") };
    ([channels, admin], process)
}

/// Ends the daemon as an operator does, then checks its files. Positions have no gap: the last one says how many were written.
fn end(mut process: Process, acknowledged: u64) -> Result<(), String> {
    process.terminate();
    let status = process.wait();
    if !status.success() {
        return Err(format!("Passerelle ended with {status}: {}", process.log()));
    }
    let folder =
        Directory::open(process.folder().join("data/journal")).map_err(|error| format!("the journal's folder: {error}"))?;
    let report = check(&folder).map_err(|error| format!("the journal: {error}"))?;
    let written = report.segments.last().map_or(0, |segment| segment.first.0 + segment.records - 1);
    if written == acknowledged && report.damage.is_empty() {
        return Ok(());
    }
    Err(format!("{acknowledged} messages were acknowledged, {written} were written; damage: {:?}", report.damage))
}
