//! One running program: its folder, its log, its process group, killed on drop.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

/// How long a program may take to say that it is ready. Generous: a loaded machine is slow, a broken program exits.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A program that runs in its own process group and folder. Killed, with its children, on drop; its log is printed when the
/// test fails.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    /// Taken by [`Process::into_folder`] only.
    folder: Option<TempDir>,
    lines: mpsc::Receiver<String>,
}

impl Process {
    /// Starts `command` with the new folder as its current one; its standard error goes to a log there.
    pub fn spawn(name: &str, command: &mut Command) -> Self {
        Self::spawn_in(name, folder(), command)
    }

    /// As [`Process::spawn`], in a folder that already holds what the program needs.
    pub fn spawn_in(name: &str, folder: TempDir, command: &mut Command) -> Self {
        let log = File::create(folder.path().join("log")).expect("a log file");
        let mut child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().expect("a piped stdout"));
        // Reads to the end even when nobody listens, so that the program never blocks on a full pipe.
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        Self { name: name.to_owned(), child, folder: Some(folder), lines }
    }

    /// The next line of standard output that starts with `prefix`, without it.
    pub fn line_after(&self, prefix: &str) -> String {
        let until = Instant::now() + READY_WITHIN;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(prefix) {
                        return rest.trim().to_owned();
                    }
                }
                Err(error) => panic!("{} never printed “{prefix}…” ({error}); its log:\n{}", self.name, self.log()),
            }
        }
    }

    /// Waits until the program accepts connections there.
    pub fn wait_until_listening(&mut self, address: SocketAddr) {
        self.wait_until("listens", || TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok());
    }

    /// Waits until `condition` holds; fails when the program exits before.
    pub fn wait_until(&mut self, what: &str, mut condition: impl FnMut() -> bool) {
        let until = Instant::now() + READY_WITHIN;
        while !condition() {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{} ended ({status}) before it {what}; its log:\n{}", self.name, self.log());
            }
            assert!(Instant::now() < until, "{} never {what}; its log:\n{}", self.name, self.log());
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Where the program runs and may leave files.
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new(""), TempDir::path)
    }

    /// Its folder, for another process after it.
    pub fn into_folder(mut self) -> TempDir {
        self.folder.take().expect("a process has its folder until here")
    }

    /// What it wrote on standard error so far.
    pub fn log(&self) -> String {
        std::fs::read(self.folder().join("log")).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the program to end, as an operator or an orchestrator does.
    pub fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).expect("a running program takes SIGTERM");
    }

    /// Ctrl-C, as a person at a terminal ends a program.
    pub fn interrupt(&self) {
        kill_process(self.pid(), Signal::INT).expect("a running program takes SIGINT");
    }

    /// SIGHUP, by which operators have daemons read their files anew.
    pub fn hang_up(&self) {
        kill_process(self.pid(), Signal::HUP).expect("a running program takes SIGHUP");
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("a child can be waited for")
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails when the whole group has ended, which is as good.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("—— log of {} ——\n{}", self.name, self.log());
        }
    }
}

/// A new folder for one peer.
pub fn folder() -> TempDir {
    tempfile::Builder::new().prefix("passerelle-").tempdir().expect("a temporary folder")
}

/// A port of the loopback that was free a moment ago, for programs that cannot choose one themselves.
pub fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).expect("a free port")
}
