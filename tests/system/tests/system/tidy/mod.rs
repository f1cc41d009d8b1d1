//! The repository's own rules, as tests. Each message says what to do; a rule that is in the way is changed in the open.

mod adapters;
mod crates;
mod errors;
mod licences;
mod repository;
mod sources;
mod tests;
mod words;

/// Fails with every finding at once, and what to do about them.
#[track_caller]
fn none(findings: impl IntoIterator<Item = String>, advice: &str) {
    let findings: Vec<String> = findings.into_iter().collect();
    assert!(findings.is_empty(), "\n  {}\n\n{advice}\n", findings.join("\n  "));
}
