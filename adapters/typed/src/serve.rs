//! Runs an adapter as a process: listens where it is told, drains on SIGTERM.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{env, io, panic};

use passerelle_adapter::{SecretError, SecretRef, Secrets};
use passerelle_adapter_server::{Lifeline, Listen, Serving};

use crate::kind::Typed;
use crate::{Adapter, Contract};

/// By a bus that starts the adapter.
const TOLD: &str = "PASSERELLE_ADAPTER_LISTEN";
const ENDPOINT: &str = "http://127.0.0.1:50061";
/// For calls in flight after SIGTERM, in seconds.
const GRACE: u64 = 10;
/// Besides those for calls: for health, look-ups and the opening.
const FURTHER_THREADS: usize = 16;

/// Serves until SIGTERM or Ctrl-C, then drains. Prints `ready: ENDPOINT` when it listens. `release` is the adapter's own version, `summary` a line
/// for people.
///
/// The command line is `[ENDPOINT] [--grace SECONDS]`.
pub fn serve<A: Adapter>(release: &str, summary: &'static str, contracts: Vec<Contract<A>>) -> ExitCode {
    let (endpoint, grace) = match arguments(env::args().skip(1)) {
        Ok(given) => given,
        Err(Words::Help) => {
            println!("{} {release}: {summary}\n\n{HELP}", A::KIND);
            return ExitCode::SUCCESS;
        }
        Err(Words::Wrong(words)) => {
            eprintln!("error: {words}; --help tells what may be said");
            return ExitCode::from(2);
        }
    };
    match run(Typed::new(summary, contracts), release, endpoint, grace) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

const HELP: &str = "[ENDPOINT]          where to listen: unix:PATH or http://HOST:PORT; port 0 takes a free one
                    (default: as the bus says that starts it, or http://127.0.0.1:50061)
--grace SECONDS     for calls in flight after SIGTERM (default: 10)";

/// Why nothing is served.
#[derive(Debug, PartialEq, Eq)]
enum Words {
    Help,
    Wrong(String),
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<(Listen, Duration), Words> {
    let (mut endpoint, mut grace) = (None, GRACE);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "-h" | "--help" => return Err(Words::Help),
            "--grace" => {
                let seconds = given.next().and_then(|seconds| seconds.parse().ok());
                grace = seconds.ok_or_else(|| Words::Wrong("--grace takes a number of seconds".to_owned()))?;
            }
            other if other.starts_with('-') => return Err(Words::Wrong(format!("there is no option {other}"))),
            _ if endpoint.is_some() => return Err(Words::Wrong("there is one endpoint to listen on".to_owned())),
            _ => endpoint = Some(argument),
        }
    }
    #[allow(clippy::disallowed_methods, reason = "this is the top of a process, and its only setting")]
    let told = || env::var(TOLD).ok();
    let endpoint = endpoint.or_else(told).unwrap_or_else(|| ENDPOINT.to_owned());
    let listen = endpoint.parse().map_err(|error: passerelle_adapter_server::ListenError| Words::Wrong(error.to_string()))?;
    Ok((listen, Duration::from_secs(grace)))
}

fn run<A: Adapter>(kind: Typed<A>, release: &str, listen: Listen, grace: Duration) -> io::Result<()> {
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).with_target(false).init();
    panic::set_hook(Box::new(|panic| {
        // Not its words, which may hold personal data or secrets.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    let threads = A::LIMITS.calls as usize + FURTHER_THREADS;
    let runtime = tokio::runtime::Builder::new_multi_thread().max_blocking_threads(threads).enable_all().build()?;
    let at = listen.to_string();
    let serving = Serving {
        kind: Arc::new(kind),
        release: release.to_owned(),
        listen,
        secrets: Arc::new(NotAsked),
        limits: A::LIMITS,
        grace,
    };
    #[allow(clippy::disallowed_methods, reason = "this is the top of a process, which the bus that started it tells so")]
    let lifeline = Lifeline::told(env::var(Lifeline::VARIABLE).ok().as_deref());
    let serving = passerelle_adapter_server::serve_started(serving, lifeline, |at| println!("ready: {at}"));
    let served = runtime.block_on(serving);
    // A thread whose function does not end is not waited for.
    runtime.shutdown_background();
    served.map_err(|error| io::Error::new(error.kind(), format!("cannot serve on {at}: {error}")))
}

/// Secrets are named by [`Secret`](crate::Secret), which finds them itself.
struct NotAsked;

impl Secrets for NotAsked {
    fn find(&self, _: &SecretRef) -> Result<passerelle_adapter::Secret, SecretError> {
        Err(SecretError("a secret is named as env:NAME or file:PATH".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &str) -> Result<(String, u64), Words> {
        let arguments = arguments(line.split_whitespace().map(str::to_owned));
        arguments.map(|(listen, grace)| (listen.to_string(), grace.as_secs()))
    }

    #[test]
    fn the_command_line_says_where_and_how_long() {
        assert_eq!(given(""), Ok((ENDPOINT.to_owned(), GRACE)));
        assert_eq!(given("unix:a.sock --grace 3"), Ok(("unix:a.sock".to_owned(), 3)));
        assert_eq!(given("--grace 0 http://127.0.0.1:0"), Ok(("http://127.0.0.1:0".to_owned(), 0)));
        assert_eq!(given("--help"), Err(Words::Help));
        for wrong in ["a b", "--grace", "--grace x", "--grace -1", "--port 7", "ledger.sock", "unix:a unix:b"] {
            assert!(matches!(given(wrong), Err(Words::Wrong(_))), "{wrong}");
        }
    }
}
