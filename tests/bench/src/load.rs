//! The load: h2load, and what it says.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::echo;

/// How the load is spread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) connections: u32,
    pub(crate) streams: u32,
}

/// Requests a second of `requests` as fast as they go. Fails unless each one came back whole.
pub(crate) fn flood(target: SocketAddr, shape: Shape, requests: u32, frame: &Path) -> f64 {
    flood_at(target, echo::PATH, shape, requests, frame)
}

/// As [`flood`], of another method.
pub(crate) fn flood_at(target: SocketAddr, path: &str, shape: Shape, requests: u32, frame: &Path) -> f64 {
    let mut command = h2load(target, path, frame);
    command.args([format!("-n{requests}"), format!("-c{}", shape.connections), format!("-m{}", shape.streams)]);
    let text = output(&mut command);
    let bytes = u64::from(requests) * fs::metadata(frame).expect("the frame's file").len();
    for expected in [format!("{requests} succeeded"), format!("({bytes}) data")] {
        assert!(text.contains(&expected), "h2load at {target}: no “{expected}” in\n{text}");
    }
    let rate = text.lines().find_map(|line| line.strip_prefix("finished in ")?.split(", ").nth(1)?.strip_suffix(" req/s"));
    rate.and_then(|rate| rate.parse().ok()).unwrap_or_else(|| panic!("no rate in\n{text}"))
}

/// Latencies, in microseconds and sorted, of `requests` at a steady thousand a second.
pub(crate) fn paced(target: SocketAddr, requests: u32, frame: &Path) -> Vec<u64> {
    const CONNECTIONS: u32 = 10;
    const RATE_EACH: u32 = 100;
    let log = frame.with_extension("latency");
    let _ = fs::remove_file(&log); // h2load appends
    let mut command = h2load(target, echo::PATH, frame);
    command.args([format!("-n{requests}"), format!("-c{CONNECTIONS}"), "-m8".to_owned(), format!("--rps={RATE_EACH}")]);
    output(command.arg("--log-file").arg(&log));
    let log = fs::read_to_string(&log).expect("h2load writes its log");
    // Start time, HTTP status, microseconds.
    let mut latencies: Vec<u64> = log.lines().filter_map(|line| line.split('\t').nth(2)?.parse().ok()).collect();
    assert_eq!(latencies.len(), requests as usize, "every request has its line");
    latencies.sort_unstable();
    latencies
}

fn h2load(target: SocketAddr, path: &str, frame: &Path) -> Command {
    let mut command = Command::new("h2load");
    command.args(["-t1", "-H", "content-type: application/grpc", "-H", "te: trailers"]);
    command.arg("-d").arg(frame).arg(format!("http://{target}{path}"));
    command
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("h2load is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {}{text}", String::from_utf8_lossy(&output.stderr));
    text
}
