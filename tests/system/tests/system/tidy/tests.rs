//! Tests that wait wait for something.

use super::none;
use super::repository::{File, rust_files};

/// Written in two halves, or this file would find itself.
const SLEEPS: [&str; 2] = [concat!("thread::", "sleep"), concat!("time::", "sleep(")];

/// Files whose tests may sleep, and why.
const MAY_SLEEP: [(&str, &str); 5] = [
    ("tests/system/src/client.rs", "asks a daemon again, with a bound, for what it announces to nobody: that it knows a method"),
    ("tests/conformance/tests/adapters/system.rs", "plays a system that is slow"),
    ("tests/conformance/tests/adapters/ledger.rs", "plays an adapter that sleeps where it should wait"),
    ("tests/conformance/tests/adapters/bugs.rs", "keeps a deadline, as an adapter does"),
    ("bus/tests/calls/hedges.rs", "a back office that is slow at times: how long calls take is what is measured"),
];

#[test]
fn tests_wait_for_a_condition_not_for_time() {
    let sleeping = rust_files().filter(|file| {
        let tests = tests_of(file);
        let paused = tests.contains("start_paused") || tests.contains("time::pause");
        let excused = MAY_SLEEP.iter().any(|(path, _)| *path == file.path);
        SLEEPS.iter().any(|sleep| tests.contains(sleep)) && !paused && !excused
    });
    none(
        sleeping.map(|file| file.path),
        "Wait for what must happen, or pause time (`#[tokio::test(start_paused = true)]`). If it cannot be otherwise, add the \
         file and the reason to MAY_SLEEP (tidy/tests.rs).",
    );
}

/// The part of a file that only tests run.
fn tests_of(file: &File) -> &str {
    let whole = file.path.starts_with("tests/") || file.path.contains("/tests") || file.path.ends_with("_tests.rs");
    match file.text.find("#[cfg(test)]") {
        _ if whole => &file.text,
        Some(at) => &file.text[at..],
        None => "",
    }
}

#[test]
fn tests_are_named_as_sentences() {
    let mut findings = Vec::new();
    for file in rust_files() {
        let named = file.text.lines().filter_map(|line| line.trim().split_once(concat!("fn ", "test_")));
        findings.extend(named.map(|(_, name)| format!("{}: test_{}", file.path, name.split('(').next().unwrap_or_default())));
    }
    none(findings, "Say what is true when the test passes: `a_torn_tail_is_cut_and_the_rest_is_kept`.");
}
