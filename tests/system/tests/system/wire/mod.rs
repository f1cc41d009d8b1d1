//! Adapters in processes of their own, in trouble: draining, flooded, oversized, slow, and others than they should be.

mod credit;
mod drain;
mod oversized;
mod quarantine;
mod slow;

use std::fs;
use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_system::planted::{CONTRACT, GATE, MODE, Number, Piece};
use passerelle_system::{Client, Daemon, World};
use prost::Message;
use tonic::Status;

use crate::receive::{PATIENCE, adapter};

/// What a debug build of the bus may have at most, and one of the adapter.
const BUS_KIB: u64 = 128 * 1024;
const ADAPTER_KIB: u64 = 64 * 1024;

/// A bus, and the planted adapter, which it has started.
struct Scene {
    daemon: Daemon,
}

impl Scene {
    /// Serves with an adapter of which something is wrong.
    fn of(mode: &str) -> Self {
        Self::with(mode, "")
    }

    /// As [`Scene::of`], with further settings of the endpoint.
    fn with(mode: &str, settings: &str) -> Self {
        let file = format!("adapter: remote\ncommand: [{}]\n", env!("CARGO_BIN_EXE_planted-adapter"));
        let world = World::default().file(MODE, mode).file("planted.yaml", &file);
        Self {
            daemon: world
                .settings(&format!("endpoints: {{ planted: {{ adapter: remote, file: planted.yaml{settings} }} }}\n"))
                .serve(),
        }
    }

    /// Serves with a good one, and returns when it takes calls.
    async fn ready() -> Self {
        Self::of("").when_ready().await
    }

    /// Returns when the adapter takes calls.
    async fn when_ready(self) -> Self {
        self.until_shown("  ready").await;
        self.client().wait_until_known(&path("Echo")).await;
        self
    }

    fn client(&self) -> Client {
        self.daemon.client()
    }

    /// What an operator sees of the endpoint.
    fn shown(&self) -> String {
        let admin = format!("http://{}", self.daemon.admin);
        World::default().run(&["endpoint", "show", "planted", "--admin", &admin]).stdout
    }

    /// Waits until the operator sees that.
    async fn until_shown(&self, what: &str) -> String {
        until(&format!("{what} shown"), || Some(self.shown()).filter(|shown| shown.contains(what))).await
    }

    /// The adapter's process, the `number`th of this bus.
    fn adapter(&self, number: usize) -> u32 {
        adapter(&self.daemon, number)
    }

    /// Changes what is wrong with the adapter.
    fn turn(&self, mode: &str) {
        fs::write(self.daemon.path(MODE), mode).unwrap();
    }

    /// Lets calls that wait go on.
    fn open_gate(&self) {
        fs::write(self.daemon.path(GATE), "").unwrap();
    }

    /// The lines of a file that the adapter writes.
    fn lines(&self, file: &str) -> Vec<String> {
        fs::read_to_string(self.daemon.path(file)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Prints the most memory that bus and adapter had, and holds it against what they may have.
    fn end(self, name: &str, adapter: u32) {
        let (bus, adapter) = (self.daemon.peak_memory_kib(), peak_memory_kib(adapter));
        println!("{name}: the bus had {bus} KiB at most, the adapter {adapter} KiB");
        assert!(bus < BUS_KIB && adapter < ADAPTER_KIB, "bus {bus} KiB, adapter {adapter} KiB");
    }
}

/// Waits for a condition.
async fn until<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(20));
    loop {
        look.tick().await;
        if let Some(held) = holds() {
            return held;
        }
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
    }
}

fn path(method: &str) -> String {
    format!("/{CONTRACT}.Planted/{method}")
}

fn number(number: u64) -> Bytes {
    Number { number }.encode_to_vec().into()
}

async fn echoes(client: &Client) -> Result<Bytes, Status> {
    let piece = Bytes::from(Piece::of(1).encode_to_vec());
    let answer = client.call(&path("Echo"), piece.clone()).await?;
    assert_eq!(answer, piece);
    Ok(answer)
}

/// The most memory that a process ever had.
pub(crate) fn peak_memory_kib(process: u32) -> u64 {
    status(process, "VmHWM:").trim_end_matches(" kB").parse().unwrap()
}

/// The process that started another one.
pub(crate) fn parent(process: u32) -> u32 {
    status(process, "PPid:").parse().unwrap()
}

fn status(process: u32, line: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    status.lines().find_map(|text| text.strip_prefix(line)).unwrap().trim().to_owned()
}

/// SIGTERM, as an operator sends it.
fn terminate(process: u32) {
    assert!(std::process::Command::new("kill").arg(process.to_string()).status().unwrap().success());
}
