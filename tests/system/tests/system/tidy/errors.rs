//! Error codes: each has a page, each is raised somewhere, and none is named that does not exist.

use super::none;
use super::repository::{File, files, root, rust_files, text};

const LIST: &str = "services/passerelle/src/explain/mod.rs";
const PAGES: &str = "services/passerelle/src/explain/pages";

#[test]
fn every_page_is_compiled_in() {
    let list = text(LIST);
    let pages = std::fs::read_dir(root().join(PAGES)).expect("the pages are there").flatten();
    let pages = pages.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let unlisted = pages.filter(|page| !list.contains(&format!("include_str!(\"pages/{page}\")")));
    none(unlisted, "Give the page its code and its row in explain/mod.rs.");
}

#[test]
fn every_code_is_raised_somewhere() {
    let list = text(LIST);
    let names = list.split("pub const ").skip(1).filter_map(|rest| rest.split_once(": Self").map(|(name, _)| name));
    let program: Vec<String> = rust_files().filter(|file| file.path != LIST).map(|file| file.text).collect();
    let idle = names.filter(|name| !program.iter().any(|text| text.contains(&format!("Code::{name}"))));
    none(
        idle.map(str::to_owned),
        "Raise the code where it belongs. Codes are never given to another meaning; an unused last one may go.",
    );
}

#[test]
fn every_code_that_is_named_exists() {
    let mut findings = Vec::new();
    // Tests ask for codes that do not exist.
    let program = |file: &File| file.path != LIST && !file.path.contains("/tests/");
    for file in files().into_iter().filter(program) {
        for code in codes_in(&file.text) {
            if !root().join(PAGES).join(format!("{code}.md")).exists() {
                findings.push(format!("{}: {code}", file.path));
            }
        }
    }
    findings.dedup();
    none(findings, "Correct the code, or write its page.");
}

/// Words of the form `P0003`.
fn codes_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.len() == 5 && word.starts_with("P0") && word[1..].chars().all(|c| c.is_ascii_digit()))
}
