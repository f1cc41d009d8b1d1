//! The process of an adapter that the kit starts: killed as a crash does, with all that it writes kept.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use crate::subject::SubjectFile;

/// What becomes the address to listen on.
pub(super) const PLACEHOLDER: &str = "{endpoint}";
/// Of what it writes, so many bytes are kept.
const OUTPUT_MAX: usize = 8 << 20;
/// Where Debian and others have the library that lies about time.
const FAKETIME: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
];
/// The file that says how far the clock is off, in the temporary folder.
const CLOCK: &str = "clock";

/// What all processes of one adapter have written.
pub(super) type Output = Arc<Mutex<Vec<u8>>>;

/// A running adapter.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts it in `folder`, to listen on `endpoint`.
    pub(super) fn start(
        file: &SubjectFile,
        endpoint: &str,
        folder: &Path,
        temporary: &Path,
        output: &Output,
    ) -> Result<Self, String> {
        let arguments: Vec<String> = file.command.iter().map(|argument| argument.replace(PLACEHOLDER, endpoint)).collect();
        let (program, arguments) = arguments.split_first().ok_or("the command is empty")?;
        // A killed adapter leaves its socket behind, and could not bind it again.
        if let Some(path) = endpoint.strip_prefix("unix:") {
            let _ = std::fs::remove_file(path);
        }
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder);
        command.envs(file.environment.iter().map(|(name, value)| (name, value.replace(PLACEHOLDER, endpoint))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        if let Some(library) = faketime() {
            Self::set_clock(temporary, 0)?;
            command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", temporary.join(CLOCK));
            // The monotonic clock goes on as it does when people set the other one.
            command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
        }
        let mut child = command.spawn().map_err(|error| format!("cannot start {program}: {error}"))?;
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(keep(stdout, Arc::clone(output)));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(keep(stderr, Arc::clone(output)));
        }
        Ok(Self(child))
    }

    /// Kills it without a word.
    pub(super) async fn kill(mut self) {
        // It may have ended by itself.
        let _ = self.0.kill().await;
    }

    /// Lets the clock be off by so many seconds.
    pub(super) fn set_clock(temporary: &Path, seconds: i64) -> Result<(), String> {
        std::fs::write(temporary.join(CLOCK), format!("{seconds:+}s\n")).map_err(|error| format!("cannot set the clock: {error}"))
    }
}

/// The library that lies about time, if it is installed.
pub(super) fn faketime() -> Option<PathBuf> {
    FAKETIME.iter().map(PathBuf::from).find(|path| path.exists())
}

async fn keep(mut from: impl AsyncRead + Unpin, output: Output) {
    let mut piece = vec![0; 8 << 10];
    while let Ok(length) = from.read(&mut piece).await {
        if length == 0 {
            return;
        }
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        let room = OUTPUT_MAX - output.len();
        output.extend_from_slice(&piece[..length.min(room)]);
    }
}
