//! The sample in Rust, written and built once for all tests that run it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use passerelle_peers::Run;
use passerelle_system::passerelle;

use super::begun;

/// Where it was built: in the build's own folder, so that a second build finds what the first one made.
pub(super) struct Built {
    /// As `adapter new` has written it.
    pub(super) folder: PathBuf,
    pub(super) program: PathBuf,
    /// For `run`, which builds.
    pub(super) environment: Vec<(&'static str, PathBuf)>,
}

/// Builds the sample from what is written now, with the crates that are here already.
pub(super) fn built() -> Built {
    let target = passerelle().ancestors().nth(2).unwrap().to_owned();
    let folder = target.join("scaffold/ledger");
    fs::create_dir_all(&folder).unwrap();
    // Each test is a process of its own.
    let lock = File::create(target.join("scaffold/lock")).unwrap();
    lock.lock().unwrap();
    let (_world, written) = begun("rust");
    copy(&written, &folder);
    let environment = vec![("CARGO_TARGET_DIR", target.clone()), ("CARGO_NET_OFFLINE", "true".into())];
    let mut cargo = Command::new(env!("CARGO"));
    let run = Run::of(cargo.args(["build", "--locked"]).envs(environment.iter().cloned()).current_dir(&folder));
    assert!(run.status.success(), "{}", run.stderr);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    Built { folder, program: target.join("debug/acme-ledger"), environment }
}

/// What is the same stays as old as it is: cargo looks at that.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else if fs::read(entry.path()).unwrap() != fs::read(&to).unwrap_or_default() {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}
