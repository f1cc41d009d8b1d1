//! What must stand in the repository's texts, and what must not.

use super::none;
use super::repository::{files, text};

/// Written in two halves, or this file would find itself.
const FOREIGN: [(&str, &str); 7] = [
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/home", "/"), "a path of one machine"),
    (concat!("crates", ".io"), "a registry's host"),
    (concat!("pypi", ".org"), "a registry's host"),
    (concat!("npmjs", ".com"), "a registry's host"),
    (concat!("deb.debian", ".org"), "a registry's host"),
];

/// Files that name registries because their format does.
const FORMATS: [&str; 3] = ["Cargo.lock", "services/passerelle/scaffold/rust/Cargo.lock", "tests/bench/rules/Cargo.lock"];

#[test]
fn nothing_names_a_machine_or_a_registry() {
    let mut findings = Vec::new();
    for file in files().into_iter().filter(|file| !FORMATS.contains(&file.path.as_str())) {
        for (number, line) in file.text.lines().enumerate() {
            let found = FOREIGN.iter().find(|(foreign, _)| line.contains(foreign));
            findings.extend(found.map(|(foreign, what)| format!("{}:{}: {foreign} is {what}", file.path, number + 1)));
        }
    }
    none(findings, "The project speaks of itself alone: use a relative path, a temporary folder, or the tool's own default.");
}

#[test]
fn the_readme_names_the_one_test_command() {
    assert!(text("README.md").contains("tests/run"), "README.md must say how to test: `tests/run`");
}

#[test]
fn the_one_test_command_is_what_ci_runs() {
    assert!(text(".ci/run").contains("tests/run"), ".ci/run must call tests/run and nothing that people cannot run");
}
