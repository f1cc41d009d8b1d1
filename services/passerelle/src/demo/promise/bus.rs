//! A bus in a process of its own, so that it can be killed.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tonic::transport::{Channel, Endpoint};

use crate::demo::{GRACE, PATIENCE};
use crate::failure::Failure;

/// The running process; killed when dropped.
pub(super) struct Bus {
    child: Child,
    /// Its process id.
    pub(super) process: u32,
    /// From its start until its ports were open.
    pub(super) started_in: Duration,
    /// A connection to its channels' port.
    pub(super) channel: Channel,
}

impl Bus {
    /// Starts it in `folder`; returns when its ports are open.
    pub(super) async fn start(folder: &Path) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::plain)?;
        let since = Instant::now();
        let mut child = Command::new(program)
            .args(["serve", "--settings", "passerelle.yaml"])
            // What the person has set for a bus of his own is not meant for this one, which is killed.
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("PASSERELLE_")))
            .env("PASSERELLE_LISTEN", "127.0.0.1:0")
            .env("PASSERELLE_ADMIN__LISTEN", "127.0.0.1:0")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(Failure::plain)?;
        let not_started = || Failure::plain("the second bus of the demo did not start");
        let (process, output) = child.id().zip(child.stdout.take()).ok_or_else(not_started)?;
        let mut lines = BufReader::new(output).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.map_err(|_| not_started())?;
        let started_in = since.elapsed();
        let line = line.map_err(Failure::plain)?.ok_or_else(not_started)?;
        let ready = line.strip_prefix("ready: channels ").and_then(|rest| rest.split_once(','));
        let (address, _) = ready.ok_or_else(not_started)?;
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(Failure::plain)?;
        let channel = endpoint.connect().await.map_err(Failure::plain)?;
        Ok(Self { child, process, started_in, channel })
    }

    /// SIGKILL: no last word, nothing flushed.
    pub(super) async fn kill(mut self) -> Result<(), Failure> {
        self.child.kill().await.map_err(Failure::plain)
    }

    /// Ends it with the demo.
    pub(super) async fn stop(mut self) {
        // Dropping it would leave a dead process behind until the demo ends.
        let _ = tokio::time::timeout(GRACE, self.child.kill()).await;
    }
}
