//! Licences: everything that is linked in is free for any use, and `deny.toml` says the same as this test.

use std::process::Command;

use super::none;
use super::repository::{metadata, text};

/// Licences that ask for nothing but their own text.
const ALLOWED: [&str; 10] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn every_dependency_has_a_licence_that_we_allow() {
    // Crates for other systems are not downloaded, and not linked in.
    let version = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let metadata = metadata(&["--filter-platform", host]);
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    let refused = packages.iter().filter_map(|package| {
        let licence = package["license"].as_str().unwrap_or("no licence");
        (!is_allowed(licence)).then(|| format!("{} {}: {licence}", package["name"], package["version"]))
    });
    none(
        refused,
        "Do without it. A licence that asks for no more than these goes into ALLOWED (tidy/licences.rs) and deny.toml.",
    );
}

#[test]
fn deny_toml_allows_the_same_licences() {
    let deny = text("deny.toml");
    let list = deny.split_once("[licenses]").and_then(|(_, rest)| rest.split_once("allow = [")).expect("[licenses] has allow").1;
    let list = list.split(']').next().unwrap_or_default();
    let listed: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    assert_eq!(listed, ALLOWED, "make the two lists the same");
}

#[test]
fn both_licences_of_ours_are_there() {
    assert!(text("LICENSE-MIT").contains("Permission is hereby granted, free of charge"));
    assert!(text("LICENSE-APACHE").contains("Apache License"));
}

/// Whether an SPDX expression can be fulfilled with allowed licences only. `/` is the old way to write OR.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let allowed = either(&mut words);
    allowed && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>) -> bool {
    let mut allowed = both(words);
    while words.next_if_eq(&"OR").is_some() {
        allowed |= both(words);
    }
    allowed
}

fn both(words: &mut Words<'_>) -> bool {
    let mut allowed = one(words);
    while words.next_if_eq(&"AND").is_some() {
        allowed &= one(words);
    }
    allowed
}

fn one(words: &mut Words<'_>) -> bool {
    let Some(word) = words.next() else { return false };
    if word == "(" {
        let allowed = either(words);
        return words.next() == Some(")") && allowed;
    }
    match words.next_if_eq(&"WITH") {
        Some(_) => ALLOWED.contains(&format!("{word} WITH {}", words.next().unwrap_or_default()).as_str()),
        None => ALLOWED.contains(&word),
    }
}

#[test]
fn an_expression_is_allowed_if_it_can_be_fulfilled() {
    let cases = [
        ("MIT", true),
        ("MIT OR GPL-3.0", true),
        ("MIT/Apache-2.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND ISC", true),
        ("GPL-3.0 OR (MIT AND MPL-2.0)", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0 WITH Other-exception", false),
        ("MPL-2.0", false),
        ("no licence", false),
        ("", false),
        ("(MIT", false),
    ];
    for (expression, expected) in cases {
        assert_eq!(is_allowed(expression), expected, "{expression}");
    }
}
