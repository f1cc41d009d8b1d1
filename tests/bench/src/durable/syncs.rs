//! How often a server asks the disk to sync: counted by the kernel's tracepoints through perf, which does not slow it as strace does.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::meter;

/// System calls that return when the disk has what was written.
const CALLS: [&str; 4] = ["fdatasync", "fsync", "sync_file_range", "msync"];

/// A count under way.
pub(crate) struct Count {
    perf: Child,
}

impl Count {
    /// Counts from now on, for a process, its children, and those that they will have.
    pub(crate) fn begin(process: u32) -> Result<Self, String> {
        let processes: Vec<String> = meter::tree(process).iter().map(|stat| stat.pid.to_string()).collect();
        let mut command = Command::new("perf");
        // Nothing is counted until it is told so on its standard input; it answers on its standard output.
        command.args(["stat", "-D", "-1", "--control", "fd:0,1", "-x", ",", "-p", &processes.join(",")]);
        for call in CALLS {
            command.args(["-e", &format!("syscalls:sys_enter_{call}")]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut perf = command.spawn().map_err(|error| format!("perf: {error}"))?;
        let told = perf.stdin.as_mut().map(|stdin| stdin.write_all(b"enable\n"));
        let mut answer = String::new();
        let stdout = perf.stdout.take().ok_or("perf: no output")?;
        let answered = BufReader::new(stdout).read_line(&mut answer);
        match (told, answered) {
            (Some(Ok(())), Ok(_)) if answer.starts_with("ack") => Ok(Self { perf }),
            _ => Err(Self { perf }.output()?),
        }
    }

    /// Calls since it began.
    pub(crate) fn end(self) -> Result<u64, String> {
        let output = self.output()?;
        // Calls, nothing, name, …; of what was not called once: "<not counted>".
        let lines: Vec<&str> = output.lines().filter(|line| line.contains("sys_enter_")).collect();
        if lines.len() < CALLS.len() {
            return Err(output);
        }
        Ok(lines.iter().filter_map(|line| line.split(',').next()?.parse::<u64>().ok()).sum())
    }

    fn output(self) -> Result<String, String> {
        // Fails when it has ended by itself; then it says why.
        let _ = kill_process(Pid::from_child(&self.perf), Signal::INT);
        let output = self.perf.wait_with_output().map_err(|error| format!("perf: {error}"))?;
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
