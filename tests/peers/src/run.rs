//! A client program that runs to its end.

use std::io::Write;
use std::process::{Command, ExitStatus, Output, Stdio};

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
        Self::ended(command.output().expect("the program starts"))
    }

    /// As [`Run::of`], with something on standard input.
    pub fn with_input(command: &mut Command, input: &str) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("a piped stdin");
        let input = input.to_owned();
        // Beside the reading of its output: both pipes may be full. A program may end before it has read everything.
        let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().expect("a child can be waited for");
        writer.join().expect("writing does not panic");
        Self::ended(output)
    }

    fn ended(output: Output) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}
