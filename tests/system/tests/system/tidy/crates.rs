//! The crates: which may know which, and one version of each line that must not be mixed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::none;
use super::repository::{metadata, text};

/// Which crates of ours a crate may depend on. `ANY`: the composition root and the tests.
const DIRECTION: [(&str, &[&str]); 24] = [
    ("passerelle-proto", &[]),
    ("passerelle-journal", &[]),
    ("passerelle-adapter", &[]),
    ("passerelle-copybook", &[]),
    ("passerelle-feel", &[]),
    ("passerelle-projection", &["passerelle-journal", "passerelle-proto"]),
    ("passerelle-kit", &["passerelle-adapter", "passerelle-proto"]),
    (
        "passerelle-bus",
        &["passerelle-adapter", "passerelle-feel", "passerelle-journal", "passerelle-projection", "passerelle-proto"],
    ),
    ("adapter-callback", &["passerelle-adapter", "passerelle-proto"]),
    ("adapter-crm", &["passerelle-adapter", "passerelle-adapter-tls", "passerelle-proto"]),
    ("adapter-documents", &["passerelle-adapter", "passerelle-adapter-tls", "passerelle-proto"]),
    ("adapter-files", &["passerelle-adapter", "passerelle-proto"]),
    ("adapter-mainframe", &["passerelle-adapter", "passerelle-adapter-tls", "passerelle-copybook"]),
    ("adapter-remote", &["passerelle-adapter", "passerelle-proto"]),
    ("passerelle-adapter-tls", &["passerelle-adapter"]),
    ("passerelle-adapter-server", &["passerelle-adapter", "passerelle-proto"]),
    ("passerelle-adapter-typed", &["passerelle-adapter", "passerelle-adapter-server"]),
    ("passerelle-adapter-build", &[]),
    (
        "passerelle-services",
        &["passerelle-bus", "passerelle-journal", "passerelle-projection", "passerelle-adapter", "passerelle-proto"],
    ),
    ("passerelle", ANY),
    ("passerelle-conformance", ANY),
    ("passerelle-peers", ANY),
    ("passerelle-system", ANY),
    ("passerelle-bench", ANY),
];

const ANY: &[&str] = &["*"];

/// Crates from outside that one part must not see, and why.
const NOT_SEEN: [(&str, &[&str], &str); 4] = [
    ("adapter-", &["tonic", "tonic-prost", "h2"], "adapters speak messages; gRPC is the bus's"),
    ("passerelle-adapter", &["tonic", "prost", "hyper"], "the port is plain Rust"),
    ("passerelle-copybook", &["tokio", "tonic", "prost"], "the copybook library does no input or output"),
    (
        "passerelle-bus",
        &["config", "clap", "opentelemetry", "tracing-subscriber"],
        "only the binary reads settings and installs telemetry",
    ),
];

/// Its work is the port over the wire, which is gRPC.
const SPEAKS_GRPC: &str = "adapter-remote";

/// Two versions of one of these do not understand each other's types.
const ONE_VERSION: [&str; 8] = ["http", "http-body", "hyper", "h2", "prost", "tonic", "rustls", "metrics"];

#[test]
fn crates_know_only_those_below_them() {
    let crates = our_crates();
    let rows: BTreeMap<&str, &[&str]> = DIRECTION.into_iter().collect();
    let mut findings = Vec::new();
    for (name, dependencies) in &crates {
        let Some(allowed) = rows.get(name.as_str()) else {
            findings.push(format!("{name} has no row"));
            continue;
        };
        let forbidden = dependencies
            .iter()
            .filter(|dependency| crates.contains_key(*dependency) && *allowed != ANY && !allowed.contains(&dependency.as_str()));
        findings.extend(forbidden.map(|dependency| format!("{name} depends on {dependency}")));
    }
    findings.extend(rows.keys().filter(|row| !crates.contains_key(**row)).map(|row| format!("{row} has a row but is no crate")));
    none(findings, "Turn the dependency round, or give the crate its row in DIRECTION (tidy/crates.rs) and in ARCHITECTURE.md.");
}

#[test]
fn what_a_crate_must_not_see_is_not_among_its_dependencies() {
    let mut findings = Vec::new();
    for (name, dependencies) in our_crates() {
        for (part, unseen, why) in NOT_SEEN {
            let applies = if part.ends_with('-') { name.starts_with(part) && name != SPEAKS_GRPC } else { name == part };
            let seen = dependencies.iter().filter(|dependency| applies && unseen.contains(&dependency.as_str()));
            findings.extend(seen.map(|dependency| format!("{name} depends on {dependency}: {why}")));
        }
    }
    none(findings, "Move what needs it to the crate whose work it is.");
}

#[test]
fn there_is_one_version_of_each_line_that_must_not_be_mixed() {
    let lock = text("Cargo.lock");
    let versions = |name: &str| {
        let line = format!("name = \"{name}\"");
        let all = lock.lines().zip(lock.lines().skip(1)).filter(|(found, _)| *found == line);
        all.map(|(_, version)| version.to_owned()).collect::<Vec<_>>()
    };
    let several = ONE_VERSION.into_iter().map(|name| (name, versions(name))).filter(|(_, versions)| versions.len() != 1);
    none(
        several.map(|(name, versions)| format!("{name}: {}", versions.join(", "))),
        "`cargo tree --invert NAME@VERSION` tells who wants the other version; bring that crate to ours or do without it.",
    );
}

#[test]
fn every_crate_takes_the_lints_and_the_licence_of_the_workspace() {
    let metadata = metadata(&["--no-deps"]);
    let mut findings = Vec::new();
    for package in packages(&metadata) {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest =
            std::fs::read_to_string(package["manifest_path"].as_str().unwrap_or_default()).expect("a crate has a manifest");
        if !manifest.contains("[lints]\nworkspace = true") {
            findings.push(format!("{name}: [lints] workspace = true is missing"));
        }
        if package["license"] != "MIT OR Apache-2.0" {
            findings.push(format!("{name}: license.workspace = true is missing"));
        }
    }
    none(findings, "Begin a new crate from the manifest of an old one.");
}

/// Every crate of ours with what it depends on; what only its tests need is left out.
fn our_crates() -> BTreeMap<String, Vec<String>> {
    let metadata = metadata(&["--no-deps"]);
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let dependencies = |package: &Value| {
        let all = package["dependencies"].as_array().into_iter().flatten();
        all.filter(|dependency| dependency["kind"] != "dev").map(name).collect()
    };
    packages(&metadata).map(|package| (name(package), dependencies(package))).collect()
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}
