//! A world: a folder with settings and what they name, in which `passerelle` runs.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use passerelle_peers::Run;
use passerelle_peers::process::{Process, folder};
use tempfile::TempDir;

use crate::Client;
use crate::program::passerelle;

/// The start of every settings file: free ports, and data in the world's own folder.
const FREE_PORTS: &str = "listen: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }\ndata_dir: data\n";

/// A folder that belongs to one scene.
#[derive(Debug)]
pub struct World {
    folder: TempDir,
}

impl Default for World {
    fn default() -> Self {
        Self { folder: folder() }
    }
}

impl World {
    /// Writes a file; folders in its name are made.
    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        path.parent().map(fs::create_dir_all).transpose().and_then(|_| fs::write(&path, text)).expect("a file in a new folder");
        self
    }

    /// Copies a file of the project into a folder of the world.
    pub fn copy(self, from: &Path, to: &str) -> Self {
        let text = fs::read_to_string(from).expect("a file of the project");
        self.file(to, &text)
    }

    /// Writes the settings: free ports, then `settings`.
    pub fn settings(self, settings: &str) -> Self {
        self.file("passerelle.yaml", &format!("{FREE_PORTS}{settings}"))
    }

    /// Where a file is, or will be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command of `passerelle` to its end.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command().args(arguments))
    }

    /// As [`World::run`], with something on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Run {
        Run::with_input(self.command().args(arguments), input)
    }

    /// Starts a command of `passerelle` that goes on until it is ended, in a folder of its own.
    pub fn start(arguments: &[&str]) -> Process {
        Process::spawn("passerelle", Command::new(passerelle()).args(arguments))
    }

    /// Serves the settings; returns when both ports are open.
    pub fn serve(self) -> Daemon {
        Self::serve_in(self.folder)
    }

    /// As [`World::serve`], started by another program, which is given what to run.
    pub fn serve_under(self, mut program: Command) -> Daemon {
        program.arg(passerelle());
        Self::serve_by(program, self.folder)
    }

    fn serve_in(folder: TempDir) -> Daemon {
        Self::serve_by(Command::new(passerelle()), folder)
    }

    fn serve_by(mut command: Command, folder: TempDir) -> Daemon {
        command.args(["serve", "--settings", "passerelle.yaml"]);
        let process = Process::spawn_in("passerelle", folder, &mut command);
        let ready = process.line_after("ready: channels ");
        let (channels, admin) = ready.split_once(", admin ").expect("ready: channels ADDRESS, admin ADDRESS");
        let address = |text: &str| text.parse().expect("an address");
        Daemon { channels: address(channels), admin: address(admin), process }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(passerelle());
        command.current_dir(self.folder.path());
        command
    }
}

/// A running `passerelle serve`; killed on drop, its log printed when the scene fails.
#[derive(Debug)]
pub struct Daemon {
    /// Where channels connect.
    pub channels: SocketAddr,
    /// Where operators connect.
    pub admin: SocketAddr,
    process: Process,
}

impl Daemon {
    /// A client of the channels' port.
    pub fn client(&self) -> Client {
        Client::new(self.channels)
    }

    /// SIGTERM, as an orchestrator sends it.
    pub fn terminate(&self) {
        self.process.terminate();
    }

    /// SIGHUP, as an operator sends it who has changed a file.
    pub fn hang_up(&self) {
        self.process.hang_up();
    }

    /// Stops it and starts it anew, with the same settings and data. The ports may be others.
    pub fn restart(mut self) -> Self {
        self.terminate();
        assert!(self.wait().success(), "{}", self.log());
        World::serve_in(self.process.into_folder())
    }

    /// SIGKILL, as the kernel or an operator in despair does it; the world is left as it is at that moment.
    pub fn kill(self) -> World {
        World { folder: self.process.into_folder() }
    }

    /// A file or folder of its world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.process.folder().join(name)
    }

    /// The most memory that it ever had, in KiB.
    pub fn peak_memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("a running process has a status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak.and_then(|kib| kib.trim().parse().ok()).expect("Linux tells the peak of a process's memory")
    }

    /// Processor time that it has used, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("a running process has a status");
        // After the name in parentheses: state is field 3, user and system time are fields 14 and 15, in hundredths (proc(5)).
        let fields = stat.rsplit_once(')').expect("a name in parentheses").1.split_whitespace();
        fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    }

    /// Where channels connect, as the commands take it.
    pub fn address(&self) -> String {
        format!("http://{}", self.channels)
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
