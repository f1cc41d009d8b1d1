//! Python's gRPC (grpcio): a back office for card disputes, one that bears little, and clients that exercise and load the first.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::process::Process;
use crate::{Run, install};

/// What [`exercise`] prints when everything is as it should be.
pub const EXERCISE_EXPECTED: &str = include_str!("../python/exercise.expected");

/// A running server of `tests/peers/python/disputes.proto`, with reflection v1alpha.
#[derive(Debug)]
pub struct Disputes {
    _process: Process,
    address: SocketAddr,
}

impl Disputes {
    /// Starts one; `None` when it is not installed and peers are not required.
    pub fn start() -> Option<Self> {
        Self::spawn(&mut script("server.py")?)
    }

    /// As [`Disputes::start`]; this one compresses every answer, whatever the caller said.
    pub fn start_compressing() -> Option<Self> {
        Self::spawn(script("server.py")?.arg("gzip"))
    }

    fn spawn(command: &mut Command) -> Option<Self> {
        let process = Process::spawn("python disputes", command);
        let port = process.line_after("listening ").parse().expect("the server prints its port");
        Some(Self { _process: process, address: SocketAddr::from(([127, 0, 0, 1], port)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its contract.
    pub fn contract() -> PathBuf {
        install::workspace().join("tests/peers/python/disputes.proto")
    }
}

/// A running server of `tests/peers/python/fragile.proto`, which bears little and counts every breach of its envelope.
#[derive(Debug)]
pub struct Fragile {
    _process: Process,
    address: SocketAddr,
}

impl Fragile {
    /// Starts one that bears so many calls at a time and a second; `None` when it is not installed and peers are not required.
    pub fn start(concurrency: u32, per_second: u32, burst: u32) -> Option<Self> {
        let arguments = [concurrency, per_second, burst].map(|number| number.to_string());
        let process = Process::spawn("python fragile", script("fragile.py")?.args(arguments));
        let port = process.line_after("listening ").parse().expect("the server prints its port");
        Some(Self { _process: process, address: SocketAddr::from(([127, 0, 0, 1], port)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its contract.
    pub fn contract() -> PathBuf {
        install::workspace().join("tests/peers/python/fragile.proto")
    }

    /// Calls its flaky method by `way`, in many ways; prints each outcome with the attempts that it took. The client itself retries by a
    /// service config (gRFC A6), or never does. `None` when it is not installed.
    pub fn flaky(&self, way: SocketAddr, client_retries: bool) -> Option<Run> {
        let how = if client_retries { "retry" } else { "plain" };
        Some(Run::of(script("flaky.py")?.args([way.to_string(), self.address.to_string(), how.to_owned()])))
    }
}

/// Calls the disputes in every streaming kind, with metadata, trailers, details, compression, deadlines and cancellation. What
/// it prints is the same for the same behaviour; `None` when the client is not installed.
pub fn exercise(server: SocketAddr) -> Option<Run> {
    Some(Run::of(script("exercise.py")?.arg(server.to_string())))
}

/// A client that keeps 32 calls in flight, spread over several addresses.
#[derive(Debug)]
pub struct Load(Process);

impl Load {
    /// Starts calling and returns when calls flow; `None` when it is not installed and peers are not required.
    pub fn start(servers: &[SocketAddr]) -> Option<Self> {
        let process = Process::spawn("python load", script("load.py")?.args(servers.iter().map(ToString::to_string)));
        process.line_after("warm");
        Some(Self(process))
    }

    /// Ends it, and gives its report: `{"right": CALLS, "failed": {REASON: CALLS}}`.
    pub fn finish(self) -> String {
        self.0.terminate();
        self.0.line_after("report ")
    }
}

fn script(name: &str) -> Option<Command> {
    let python = install::installed("python", install::folder().join("python/bin/python"))?;
    let stubs = install::installed("python", install::folder().join("disputes"))?;
    let mut command = Command::new(python);
    command
        .arg(install::workspace().join("tests/peers/python").join(name))
        .env("PYTHONPATH", stubs)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Some(command)
}
