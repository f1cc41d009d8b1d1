//! The sources that are written: short, and clean by the tools of their language.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect_file;
use passerelle_peers::{Run, scaffold};

use super::begun;

/// An integrator's own code, at most; empty lines and comments count.
const PYTHON_LINES: usize = 80;
const RUST_LINES: usize = 60;

#[test]
fn an_adapter_has_few_lines_of_its_own() {
    for (language, file, lines) in [("python", "adapter.py", PYTHON_LINES), ("rust", "src/main.rs", RUST_LINES)] {
        let (_world, folder) = begun(language);
        let own = fs::read_to_string(folder.join(file)).unwrap().lines().count();
        assert!(own <= lines, "{file} has {own} lines");
    }
    let (_world, folder) = begun("rust");
    assert_eq!(fs::read_dir(folder.join("src")).unwrap().count(), 1, "all of it is in one file");
}

#[test]
fn the_sources_in_rust_are_formatted() {
    let (_world, folder) = begun("rust");
    let run = Run::of(Command::new(env!("CARGO")).args(["fmt", "--all", "--check"]).current_dir(&folder));
    assert!(run.status.success(), "{}{}", run.stdout, run.stderr);
}

/// Each dependency of the library is ours, word for word, so that its versions are those that we build with.
#[test]
fn the_library_in_rust_takes_its_versions_from_ours() {
    let (_world, folder) = begun("rust");
    let theirs = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let ours = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let ours: Vec<&str> = ours.lines().collect();
    let section = |name: &str| theirs.split(&format!("[workspace.{name}]\n")).nth(1).unwrap().split("\n[").next().unwrap();
    let lines = section("package").lines().chain(section("dependencies").lines()).filter(|line| line.contains(" = "));
    let other: Vec<&str> = lines.filter(|line| !line.contains("path = ") && !ours.contains(line)).collect();
    assert!(other.is_empty(), "not so in the Cargo.toml at the root: {other:?}");
}

/// The lock file is what cargo leaves of ours. `UPDATE_EXPECT=1` makes it anew.
#[test]
fn the_lock_file_in_rust_is_what_is_needed_of_ours() {
    let (_world, folder) = begun("rust");
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let version = Run::of(Command::new("rustc").arg("-vV")).stdout;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = ["metadata", "--format-version", "1", "--offline", "--filter-platform", host];
    let run = Run::of(Command::new(env!("CARGO")).args(arguments).current_dir(&folder));
    assert!(run.status.success(), "{}", run.stderr);
    let needed = fs::read_to_string(folder.join("Cargo.lock")).unwrap();
    expect_file![root().join("services/passerelle/scaffold/rust/Cargo.lock")].assert_eq(&needed);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

#[test]
fn python_finds_nothing_to_complain_of() {
    let Some(python) = scaffold::python() else { return };
    let (_world, folder) = begun("python");
    let module = |name: &str, arguments: &[&str]| {
        let run = Run::of(Command::new(&python).args(["-m", name]).args(arguments).current_dir(&folder));
        assert!(run.status.success(), "{name}: {}{}", run.stdout, run.stderr);
    };
    module("compileall", &["-q", "."]);
    module("pyflakes", &["."]);
    // grpcio and protobuf come without types.
    module("mypy", &["--strict", "--ignore-missing-imports", "adapter.py"]);
}
