//! The shape of the sources: length, first line, names, and what a part of the program must not touch.

use super::none;
use super::repository::{metadata, rust_files};

/// A file longer than this is several ideas.
const LONGEST: usize = 500;

/// Names that say nothing, and so gather everything.
const EMPTY_NAMES: [&str; 9] = ["common", "core", "helper", "helpers", "manager", "misc", "shared", "util", "utils"];

/// What parts of the program must not touch, and why.
const UNTOUCHED: [(&str, &[&str], &str); 2] = [
    (
        "bus/src/",
        &["std::fs", "tokio::fs", "std::env", "SystemTime::now"],
        "the bus reads no file, no environment and no wall clock: they are handed in",
    ),
    ("adapters/", &["std::env::var"], "adapters get secrets from the port, settings from their file"),
];

#[test]
fn no_file_is_longer_than_one_idea() {
    let long = rust_files().filter(|file| !is_generated(&file.text));
    let long = long.map(|file| (file.text.lines().count(), file.path)).filter(|(lines, _)| *lines > LONGEST);
    none(long.map(|(lines, path)| format!("{path}: {lines} lines")), "Split it where the second idea begins.");
}

#[test]
fn every_file_opens_with_what_lives_in_it() {
    let mute = rust_files().filter(|file| !is_generated(&file.text) && !says_what(&file.text));
    none(mute.map(|file| file.path), "Let the first line say in one sentence what lives here: `//! …`.");
}

fn says_what(text: &str) -> bool {
    text.lines().next().and_then(|line| line.strip_prefix("//! ")).is_some_and(|words| words.split_whitespace().count() > 1)
}

fn is_generated(text: &str) -> bool {
    text.lines().take(3).any(|line| line.starts_with("// @generated"))
}

#[test]
fn names_say_something() {
    let modules = rust_files().filter(|file| {
        let steps = file.path.trim_end_matches(".rs").split('/');
        // `tests/x/core/` would be a name of ours, the `core` of an expression is not.
        steps.into_iter().any(|step| EMPTY_NAMES.contains(&step))
    });
    let metadata = metadata(&["--no-deps"]);
    let crates = metadata["packages"].as_array().expect("cargo metadata lists packages");
    let crates = crates.iter().filter_map(|package| package["name"].as_str());
    let crates = crates.filter(|name| name.split(['-', '_']).any(|word| EMPTY_NAMES.contains(&word)));
    let findings = modules.map(|file| file.path).chain(crates.map(|name| format!("crate {name}")));
    none(findings, "Name it after what it does; what has no name of its own belongs beside its only user.");
}

#[test]
fn every_part_leaves_alone_what_is_not_its_own() {
    let mut findings = Vec::new();
    for file in rust_files() {
        for (part, untouched, why) in UNTOUCHED {
            let program = program(&file.text);
            let touched = untouched.iter().filter(|thing| file.path.starts_with(part) && program.contains(**thing));
            findings.extend(touched.map(|thing| format!("{}: {thing} ({why})", file.path)));
        }
    }
    none(findings, "Hand it in from the binary.");
}

/// The text without its tests.
fn program(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn macros_are_rare() {
    let declaration = concat!("macro_rules", "!");
    let files: Vec<String> = rust_files().filter(|file| file.text.contains(declaration)).map(|file| file.path).collect();
    let too_many = if files.len() > 2 { files } else { Vec::new() };
    none(too_many, "Two in the workspace are enough: write a function, or a table.");
}
