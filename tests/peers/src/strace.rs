//! strace: what a program asks of the kernel, call by call, as a witness that the program cannot bribe.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install;

/// A command that runs the program given as its further arguments and writes down those system `calls` of all its threads, with
/// up to `bytes` of each buffer as `\xNN`, to the file `trace`; `None` when strace is not installed and peers are not required.
pub fn command(calls: &str, bytes: usize, trace: &Path) -> Option<Command> {
    let strace = install::installed("strace", "/usr/bin/strace")?;
    let mut command = Command::new(strace);
    // --seccomp-bpf: the other calls run at full speed.
    command.args(["--follow-forks", "--seccomp-bpf", "-xx", "-yy", "-tt", "-s", &bytes.to_string()]);
    command.args(["-e", &format!("trace={calls}"), "-o"]).arg(trace);
    Some(command)
}

/// A command that runs the program given as its further arguments and lets a system call fail: `fdatasync:error=EIO:when=20+`;
/// where files are named, only on those. `None` as for [`command`].
pub fn failing(fault: &str, files: &[PathBuf]) -> Option<Command> {
    let strace = install::installed("strace", "/usr/bin/strace")?;
    let call = fault.split(':').next().unwrap_or_default();
    let mut command = Command::new(strace);
    command.args(["--follow-forks", "--quiet=all", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    command.args(["-e", &format!("inject={fault}")]);
    command.args(files.iter().flat_map(|file| [OsStr::new("-P"), file.as_os_str()]));
    Some(command)
}
