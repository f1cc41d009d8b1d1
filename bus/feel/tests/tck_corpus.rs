//! The DMN TCK, where its files stand beside the repository: every result of level 2, and of level 3 all but those listed here.
#![allow(clippy::expect_used, clippy::panic, reason = "tests end where something is not as expected")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use passerelle_feel::Environment;
use passerelle_feel::dmn::Model;
use passerelle_feel::dmn::tck::TestCases;

/// Results that are not as the TCK expects them, with the reason.
const DEVIATIONS: [(&str, &str); 4] = [
    ("1115-feel-date-function 015_1dd66594cf", "years end at 9999"),
    ("1115-feel-date-function 016_31f3fef4a0", "years end at -9999"),
    ("1115-feel-date-function 029_88f5c7c90f", "years end at 9999"),
    ("1115-feel-date-function 030_9184a7bfc3", "years end at -9999"),
];

/// Results of a level, and those that are not as expected, by the folder and the case.
#[derive(Default)]
struct Count {
    results: usize,
    passed: usize,
    failed: BTreeSet<String>,
    told: String,
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    files.sort();
    files
}

fn folder(path: &Path, count: &mut Count) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = |path: &PathBuf| fs::read_to_string(path).expect("a text");
    for file in files(path, "xml") {
        let cases = TestCases::read(&text(&file)).expect("test cases");
        let others = files(path, "dmn").into_iter().filter(|other| !other.ends_with(&cases.model)).map(|other| text(&other));
        let others: Vec<String> = others.collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let model = match Model::tolerant(&text(&path.join(&cases.model)), &others) {
            Ok(model) => model,
            Err(error) => panic!("{}: {error}", cases.model),
        };
        for outcome in cases.verify(&model, &Environment::at(SystemTime::now())) {
            count.results += 1;
            count.passed += usize::from(outcome.passed);
            if !outcome.passed {
                let at = format!("{name} {}", outcome.case);
                count.told += &format!("{at} {}: expected {}, found {}\n", outcome.result, outcome.expected, outcome.found);
                count.failed.insert(at);
            }
        }
    }
}

fn level(level: u32) -> Option<Count> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/dmn-tck");
    let Ok(folders) = fs::read_dir(corpus.join(format!("compliance-level-{level}"))) else {
        println!("SKIPPED: the DMN TCK does not stand beside the repository");
        return None;
    };
    let mut count = Count::default();
    for entry in folders {
        folder(&entry.expect("an entry").path(), &mut count);
    }
    println!("level {level}: {} of {} results\n{}", count.passed, count.results, count.told);
    Some(count)
}

#[test]
fn every_result_of_level_2_is_as_expected() {
    let Some(count) = level(2) else { return };
    assert!(count.failed.is_empty(), "{}", count.told);
    assert_eq!(count.results, 126);
}

#[test]
fn the_results_of_level_3_are_as_expected_but_for_the_deviations_listed() {
    let Some(count) = level(3) else { return };
    let listed: BTreeSet<String> = DEVIATIONS.iter().map(|(case, _)| (*case).to_owned()).collect();
    assert_eq!(count.failed, listed, "{}", count.told);
    assert!((count.results - count.passed) * 100 <= count.results, "less than 99 % of {} results", count.results);
}
