//! Ruby's gRPC: the interop client and server of the gRPC project, as Debian packages them. Neither knows of Passerelle.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{Process, free_address};
use crate::{Run, install};

/// The cases of the interop client that need no credentials.
pub const CASES: [&str; 15] = [
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "timeout_on_sleeping_server",
    "cancel_after_begin",
    "cancel_after_first_response",
    "status_code_and_message",
    "custom_metadata",
    "unimplemented_method",
    "unimplemented_service",
    "client_compressed_unary",
    "client_compressed_streaming",
];

/// The cases that the interop server itself fails: it takes a message that is not compressed as it was announced.
pub const NOT_SERVED: [&str; 2] = ["client_compressed_unary", "client_compressed_streaming"];

/// A running interop server.
#[derive(Debug)]
pub struct InteropServer {
    _process: Process,
    address: SocketAddr,
}

impl InteropServer {
    /// Starts one; `None` when it is not installed and peers are not required.
    pub fn start() -> Option<Self> {
        let script = script("server.rb")?;
        let address = free_address();
        let mut command = Command::new("ruby");
        let mut process =
            Process::spawn("ruby interop server", command.arg(script).args(["--port", &address.port().to_string()]));
        process.wait_until_listening(address);
        Some(Self { _process: process, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The part of its contract that a bus needs.
    pub fn contract() -> PathBuf {
        install::workspace().join("tests/peers/ruby/interop.proto")
    }
}

/// Runs one of the [`CASES`] against a server, or a bus before it; `None` when the client is not installed.
pub fn run_case(case: &str, server: SocketAddr) -> Option<Run> {
    let mut command = Command::new("timeout");
    command.args(["60", "ruby"]).arg(script("client.rb")?);
    command.args(["--server_host", "127.0.0.1", "--server_port", &server.port().to_string(), "--test_case", case]);
    Some(Run::of(&mut command))
}

/// The scripts lie in the gem, whose folder has the version in its name.
fn script(name: &str) -> Option<PathBuf> {
    let library = PathBuf::from("/usr/lib").join(format!("{}-linux-gnu/rubygems-integration", std::env::consts::ARCH));
    let children = |folder: &PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let gems = children(&library).flat_map(|version| children(&version.join("gems")).collect::<Vec<_>>());
    let found = gems.map(|gem| gem.join("src/ruby/pb/test").join(name)).find(|script| script.exists());
    install::installed("ruby", found.unwrap_or_else(|| library.join(format!("*/gems/grpc-*/src/ruby/pb/test/{name}"))))
}
