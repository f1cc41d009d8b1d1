//! A client program that runs to its end.

use std::process::{Command, ExitStatus};

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Run {
    /// Whether it succeeded.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Run {
    /// Runs a program to its end.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the program starts");
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}
