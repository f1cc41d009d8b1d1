//! The folder of translations: files of mappings, examples beside them, and the contracts that callers see.

use std::path::{Path, PathBuf};

use passerelle_bus::contract::Registry;
use passerelle_bus::translation::{Examples, Mapping, Problem, Set, Sources, side_breaches};
use passerelle_bus::written::Text;

use crate::contract_files;
use crate::explain::Code;
use crate::failure::Failure;
use crate::folder;
use crate::serve::contracts;

/// How the names of files with examples end.
const EXAMPLES: &str = ".examples.yaml";

/// Reads the folder, and registers the contracts that it brings. What waits for a contract is no error.
pub(crate) fn open(folder: Option<&Path>, registry: &Registry) -> Result<Sources, Failure> {
    let Some(folder) = folder else { return Ok(Sources::default()) };
    let sources = read(folder, registry)?;
    let set = Set::compile(&sources, &registry.snapshot());
    let wrong: Vec<String> = set.problems.iter().filter(|problem| !problem.waits).map(ToString::to_string).collect();
    if wrong.is_empty() { Ok(sources) } else { Err(refused(wrong.join("\n"))) }
}

/// Proves that what customers are shown has no type of the contracts in it.
pub(crate) fn prove_sides(registry: &Registry) -> Result<(), Failure> {
    let breaches = side_breaches(&registry.snapshot());
    let advice = "a contract's type reaches channels by a translation only: give the customers' side a message of its own";
    if breaches.is_empty() { Ok(()) } else { Err(refused(format!("{}\n{advice}", breaches.join("\n")))) }
}

/// Proves the folder: prints what each translation loses, and runs the examples.
pub(crate) fn prove(folder: &Path, registry: &Registry) -> Result<(), Failure> {
    let sources = read(folder, registry)?;
    let set = Set::compile(&sources, &registry.snapshot());
    set.ordered.iter().for_each(|mapping| print_loss(mapping));
    for exposed in &set.exposed {
        let [called, serving] = [&exposed.method, &exposed.calls].map(|method| method.path.trim_start_matches('/'));
        println!("ok translated method {called}: served by {serving}");
    }
    let run = Examples::run(&sources, &set);
    println!("ok examples of translations: {} as they should be", run.kept);
    let waiting = set.problems.iter().filter(|problem| problem.waits);
    waiting.for_each(|problem| println!("waits {problem}"));
    let waits = set.problems.iter().any(|problem| problem.waits);
    let wrong = set.problems.iter().filter(|problem| !problem.waits).map(ToString::to_string);
    let failed = run.failed.iter().map(|failed| format!("{}: example `{}`: {}", failed.place, failed.name, failed.message));
    // Without its contract nothing becomes anything.
    let all: Vec<String> = wrong.chain(failed.filter(|_| !waits)).collect();
    if all.is_empty() { Ok(()) } else { Err(refused(all.join("\n"))) }
}

fn print_loss(mapping: &Mapping) {
    println!("ok translation of {} to {}, {}", mapping.from().full_name(), mapping.to().full_name(), mapping.place());
    let loss = mapping.loss();
    for (what, fields) in [("not read", &loss.dropped), ("never set", &loss.unset)] {
        if !fields.is_empty() {
            println!("   {what}: {}", fields.join(", "));
        }
    }
}

fn refused(what: String) -> Failure {
    Failure::new(Code::TRANSLATIONS_REFUSED, what)
}

fn read(folder: &Path, registry: &Registry) -> Result<Sources, Failure> {
    let texts = folder::texts(folder, &[".yaml"]).map_err(refused)?;
    let (examples, translations): (Vec<Text>, Vec<Text>) =
        texts.into_iter().partition(|text| folder::ends(&text.name, &[EXAMPLES]));
    let told = |problems: Vec<Problem>| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        refused(lines.join("\n"))
    };
    let sources = Sources::read(&translations, &examples).map_err(told)?;
    for (file, read) in &sources.files {
        let Some(contract) = &read.contract else { continue };
        let within = |path: &PathBuf| folder.join(path);
        let files: Vec<PathBuf> = contract.proto.iter().map(within).collect();
        let include: Vec<PathBuf> = contract.include.iter().map(within).collect();
        let image = contract_files::compile(&files, &include)?;
        contracts::of_callers(registry, file, image, contract_files::listed(&files))?;
    }
    Ok(sources)
}
