//! The sources that are written: short, and clean by the tools of their language.

use std::fs;
use std::process::Command;

use passerelle_peers::{Run, scaffold};

use super::begun;

/// An integrator's own code, at most; empty lines and comments count.
const PYTHON_LINES: usize = 80;

#[test]
fn an_adapter_in_python_has_few_lines_of_its_own() {
    let (_world, folder) = begun("python");
    let own = fs::read_to_string(folder.join("adapter.py")).unwrap().lines().count();
    assert!(own <= PYTHON_LINES, "adapter.py has {own} lines");
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
