//! Recorded through one daemon, played by a twin, behind another one: the same calls get the same answers.

mod personal;
mod played;
mod slow;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use passerelle_peers::process::Process;
use passerelle_peers::python::Disputes;
use passerelle_system::{Daemon, World};
use serde_json::Value;

const CONTRACT: &str = "bank.disputes.v1";

/// A daemon before the disputes, whose contract may say more than the back office itself does.
fn before(disputes: &Disputes, change: impl Fn(String) -> String) -> Daemon {
    let contract = std::fs::read_to_string(Disputes::contract()).unwrap();
    let address = disputes.address();
    World::default()
        .file("disputes.proto", &change(contract))
        .settings(&format!(
            "limits: {{ deadline_ms: 0 }}\nendpoints:\n  disputes: {{ addresses: [\"http://{address}\"], contract: {{ proto: [disputes.proto] }} }}\n"
        ))
        .serve()
}

/// A recording that has begun.
struct Recorder {
    process: Process,
}

impl Recorder {
    fn start(daemon: &Daemon, contract: &str, arguments: &[&str]) -> Self {
        let admin = format!("http://{}", daemon.admin);
        let process = World::start(&[&["record", contract, "--to", "recording.jsonl", "--admin", &admin], arguments].concat());
        process.line_after(&format!("recording {contract}@1 to recording.jsonl"));
        Self { process }
    }

    fn file(&self) -> PathBuf {
        self.process.folder().join("recording.jsonl")
    }

    /// Waits until what the file holds is as it should be.
    fn until(&mut self, what: &str, condition: impl Fn(&str) -> bool) {
        let file = self.file();
        self.process.wait_until(what, || std::fs::read_to_string(&file).is_ok_and(|text| condition(&text)));
    }

    /// Ctrl-C; the recording, and what the program says of it.
    fn end(self) -> (String, String) {
        self.process.interrupt();
        let said = self.process.line_after("recording.jsonl: ");
        (std::fs::read_to_string(self.file()).unwrap(), said)
    }
}

/// The calls of a recording, in its order.
fn calls(recording: &str) -> Vec<Value> {
    let lines = recording.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line.get("method").is_some()).collect()
}

/// A twin at work.
struct Twin {
    process: Process,
    address: SocketAddr,
}

impl Twin {
    fn start(recording: &Path, arguments: &[&str]) -> Self {
        let file = recording.to_str().unwrap();
        let process = World::start(&[&["twin", file, "--listen", "127.0.0.1:0"], arguments].concat());
        let address = process.line_after("ready: ").parse().unwrap();
        Self { process, address }
    }

    /// A daemon before it, which asks it by reflection what it is.
    fn behind_a_bus(&self) -> Daemon {
        let address = self.address;
        let endpoint = format!("{{ addresses: [\"http://{address}\"], contract: {{ reflection: true }} }}");
        World::default().settings(&format!("limits: {{ deadline_ms: 0 }}\nendpoints:\n  twin: {endpoint}\n")).serve()
    }
}

/// A folder with a recording in it.
fn kept(recording: &str) -> (World, PathBuf) {
    let world = World::default().file("kept.jsonl", recording);
    let file = world.path("kept.jsonl");
    (world, file)
}
