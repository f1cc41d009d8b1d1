//! Where the install scripts put things, and what happens when something is not there.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder that the install scripts fill: `target/peers` of the workspace.
pub(crate) fn folder() -> PathBuf {
    workspace().join("target/peers")
}

/// The workspace's root.
pub(crate) fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")) // no `canonicalize`: it cannot fail, and reads as well in a log
}

/// `path` if it exists. Otherwise the peer is missing: fails when peers are required, else says so and gives `None`.
pub(crate) fn installed(peer: &str, path: impl Into<PathBuf>) -> Option<PathBuf> {
    if is("PEERS", "none") {
        skip(peer, "PEERS=none");
        return None;
    }
    let path = path.into();
    if path.exists() {
        return Some(path);
    }
    let reason = format!("{} is not there; run tests/peers/install/{peer}.sh", path.display());
    assert!(!is("PEERS_REQUIRED", "1"), "peer {peer}: {reason}");
    skip(peer, &reason);
    None
}

fn is(variable: &str, value: &str) -> bool {
    std::env::var_os(variable).is_some_and(|set| set == value)
}

/// Written past the test runner's capture, and kept in a file that `tests/run` prints at its end.
fn skip(peer: &str, reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("SKIPPED: {test}: peer {peer}: {reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    let log = std::fs::create_dir_all(folder())
        .and_then(|()| std::fs::File::options().create(true).append(true).open(folder().join("skipped.log")));
    if let Ok(mut log) = log {
        let _ = log.write_all(line.as_bytes());
    }
}
