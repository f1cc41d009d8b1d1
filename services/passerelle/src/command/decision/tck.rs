//! `passerelle decision tck`: test cases in the format of the DMN TCK, run on the models beside them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use passerelle_feel::Environment;
use passerelle_feel::dmn::Model;
use passerelle_feel::dmn::tck::TestCases;

use crate::failure::Failure;
use crate::output::print;

/// Folders within each other that are looked into.
const DEPTH: u32 = 16;

/// Which test cases to run.
#[derive(Debug, Args)]
#[command(
    about = "Runs all test cases of a folder in the format of the DMN TCK, each with the model beside it",
    after_help = "A file of test cases is an XML file beside its model; it names the model's file. The other models of that folder are\n\
        those it may import. Prints one line for each result that is not as expected, and a count. Exit code 1 if there is any."
)]
pub struct Tck {
    /// The folder; those within it belong to it
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}

/// Results so far, and how many were as expected.
#[derive(Default)]
struct Count {
    results: usize,
    passed: usize,
    files: usize,
    unread: usize,
}

/// Runs the test cases of a folder.
pub(super) fn run(tck: &Tck) -> Result<(), Failure> {
    let folder = &tck.folder;
    let mut count = Count::default();
    walk(folder, DEPTH, &mut count)?;
    if count.files == 0 {
        return Err(Failure::plain(format!("there are no test cases in {}", folder.display())));
    }
    let Count { results, passed, files, unread } = count;
    print(&format!("{passed} of {results} results as expected, in {files} files\n"));
    match (results - passed, unread) {
        (0, 0) => Ok(()),
        (failed, 0) => Err(Failure::plain(format!("{failed} results are not as expected"))),
        (failed, unread) => Err(Failure::plain(format!("{failed} results are not as expected, {unread} files cannot be run"))),
    }
}

fn walk(folder: &Path, depth: u32, count: &mut Count) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    let mut paths: Vec<PathBuf> =
        entries.map_err(|error| Failure::plain(format!("cannot read the folder {}: {error}", folder.display())))?;
    paths.sort();
    for path in &paths {
        if path.is_dir() && depth > 0 {
            walk(path, depth - 1, count)?;
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            count.files += 1;
            if let Err(reason) = file(path, &paths, count) {
                count.unread += 1;
                print(&format!("{}: {reason}\n", path.display()));
            }
        }
    }
    Ok(())
}

fn file(path: &Path, beside: &[PathBuf], count: &mut Count) -> Result<(), String> {
    let text = |path: &Path| fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
    let cases = TestCases::read(&text(path)?).map_err(|error| error.to_string())?;
    let named = path.with_file_name(&cases.model);
    let others = beside.iter().filter(|other| other.extension().is_some_and(|extension| extension == "dmn") && **other != named);
    let others: Vec<String> = others.map(|other| text(other)).collect::<Result<_, _>>()?;
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let model = Model::tolerant(&text(&named)?, &others).map_err(|error| format!("{}: {error}", cases.model))?;
    for outcome in cases.verify(&model, &Environment::at(SystemTime::now())) {
        count.results += 1;
        if outcome.passed {
            count.passed += 1;
            continue;
        }
        let (case, result, expected, found) = (outcome.case, outcome.result, outcome.expected, outcome.found);
        print(&format!("{}: case {case}, {result}: expected {expected}, found {found}\n", path.display()));
    }
    Ok(())
}
