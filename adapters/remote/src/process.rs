//! The adapter's process, where we start it: told where to listen, its words in our log, ended with us.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// Tells the adapter where to listen.
pub(crate) const LISTEN: &str = "PASSERELLE_ADAPTER_LISTEN";
/// Tells the adapter that its standard input ends when the bus is gone.
const LIFELINE: &str = "PASSERELLE_ADAPTER_LIFELINE";
/// Bytes of one line in our log; what is longer goes on as another line.
const LONGEST_LINE: u64 = 1_024;

/// How it is started.
#[derive(Debug, Clone)]
pub(crate) struct Starting {
    pub(crate) endpoint: String,
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    /// Where it runs: the folder of the integrator's file.
    pub(crate) folder: PathBuf,
    pub(crate) socket: PathBuf,
}

impl Starting {
    /// Starts it. Killed when dropped.
    pub(crate) fn start(&self) -> Result<Child, String> {
        // One with a slash is a file, and lies beside the integrator's; others are looked for as the shell does.
        let program = match self.program.contains('/') {
            true => std::path::absolute(self.folder.join(&self.program)).map_err(|error| error.to_string())?,
            false => PathBuf::from(&self.program),
        };
        // What the one before left behind.
        let _ = std::fs::remove_file(&self.socket);
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let mut child = Command::new(&program)
            .args(&self.arguments)
            .current_dir(folder)
            .env(LISTEN, format!("unix:{}", self.socket.display()))
            .env(LIFELINE, "stdin")
            // We hold the other end, and say nothing: it ends when we are gone, even by SIGKILL.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C at the terminal is for the bus, which ends the adapter when its calls are over.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        tracing::info!(endpoint = self.endpoint, pid = child.id(), "adapter process started");
        if let Some(output) = child.stdout.take() {
            tokio::spawn(follow(self.endpoint.clone(), output));
        }
        if let Some(output) = child.stderr.take() {
            tokio::spawn(follow(self.endpoint.clone(), output));
        }
        Ok(child)
    }
}

/// Asks it to end, and ends it after `grace`.
pub(crate) async fn end(child: &mut Child, grace: Duration) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // Gone already: waited for below.
        let _ = kill_process(pid, Signal::TERM);
    }
    if tokio::time::timeout(grace, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// Line by line into our log, each one bounded.
async fn follow(endpoint: String, output: impl AsyncRead + Unpin) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut output).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => tracing::info!(endpoint, "adapter says: {}", String::from_utf8_lossy(&line).trim_end()),
        }
    }
}
