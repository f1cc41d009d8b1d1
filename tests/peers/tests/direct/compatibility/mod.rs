//! The compatibility rules against `buf breaking`: the same rule, file and line on pairs of contracts that are made by seed.

mod contract;
mod generate;
mod mutate;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fastrand::Rng;
use passerelle_bus::contract::Image;
use passerelle_bus::contract::compatibility::{Category, Finding, Rule, RuleSet, compare};
use passerelle_peers::Buf;

use contract::Syntax;

/// Pairs; all are compiled and compared at once, each a folder and a package of its own.
const PAIRS: usize = 400;
const SEED: u64 = 0x5ca1_ab1e;

/// What breaks where: rule, file, line. A file's line is 1 where nothing is known, as buf has it.
type Broken = (String, String, u64);

#[test]
fn buf_finds_the_same_rules_broken_in_the_same_lines() {
    let Some(buf) = Buf::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let editions = write_pairs(&old, &new);
    let image = |name: &str| folder.path().join(name);
    buf.build(&old, &image("old.binpb"));
    buf.build(&new, &image("new.binpb"));
    let read = |name| Image::decode(std::fs::read(image(name)).unwrap()).unwrap();
    let categories = Category::ALL.map(Category::name);
    let theirs = theirs(&buf.breaking(&image("old.binpb"), &image("new.binpb"), &categories));
    let rules = RuleSet::of(&categories, &[]).unwrap();
    let ours = ours(&compare(&read("old.binpb"), &read("new.binpb"), &rules).unwrap());
    let mut differences: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for broken in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        let (theirs, ours) = (theirs.get(broken), ours.get(broken));
        let (by_buf, here) = (theirs.map_or(0, Vec::len), ours.map_or(0, Vec::len));
        if by_buf != here && !is_known(broken, by_buf < here, &editions) {
            let difference = format!("{broken:?}:\n  buf:  {theirs:?}\n  here: {ours:?}");
            differences.entry(&broken.0).or_default().push(difference);
        }
    }
    let shown = differences.iter().map(|(rule, all)| format!("{rule}: {}\n{}", all.len(), all[..all.len().min(3)].join("\n")));
    assert!(differences.is_empty(), "{}", shown.collect::<Vec<_>>().join("\n"));
    let compiled_here = compiled_here(&old, &new, &editions, &rules);
    let by_buf = ours.iter().filter(|((_, file, _), _)| compiled_here.1.contains(pair_of(file)));
    // The texts differ: compilers write a default of 1e9 in their own way.
    let by_buf: BTreeMap<&Broken, usize> = by_buf.map(|(broken, messages)| (broken, messages.len())).collect();
    assert_eq!(compiled_here.0.iter().map(|(broken, messages)| (broken, messages.len())).collect::<BTreeMap<_, _>>(), by_buf);
    let seen: BTreeSet<&str> = ours.keys().map(|(rule, ..)| rule.as_str()).collect();
    let unseen: Vec<_> = Rule::all().filter(|rule| !seen.contains(rule.name())).collect();
    assert!(unseen.is_empty(), "no pair breaks {unseen:?}");
}

#[test]
fn rules_have_the_categories_that_buf_gives_them() {
    let Some(buf) = Buf::find() else { return };
    let listed = buf.rules();
    let names = Category::ALL.map(Category::name);
    let mut theirs = BTreeSet::new();
    for line in listed.lines().skip(1) {
        let (rule, categories) = line.split_once(' ').unwrap();
        theirs.extend(categories.split([' ', ',']).filter(|word| names.contains(word)).map(|category| (rule, category)));
    }
    let ours = Rule::all().flat_map(|rule| rule.categories().iter().map(move |category| (rule.name(), category.name())));
    let ours: BTreeSet<_> = ours.collect();
    assert_eq!(ours, theirs);
}

/// Gives the names of the pairs of which a side is an edition.
fn write_pairs(old: &Path, new: &Path) -> BTreeSet<String> {
    let mut rng = Rng::with_seed(SEED);
    let mut editions = BTreeSet::new();
    for number in 0..PAIRS {
        let mut contract = generate::contract(&mut rng, number);
        let name = format!("pair_{number:03}");
        write(old, &contract.files(&name));
        let was = contract.syntax;
        mutate::mutate(&mut rng, &mut contract);
        write(new, &contract.files(&name));
        if [was, contract.syntax].contains(&Syntax::Edition2023) {
            editions.insert(name);
        }
    }
    editions
}

fn write(folder: &Path, files: &[(String, String)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// What the same pairs break when the bus's own compiler reads them, which knows no editions; and which pairs these are.
fn compiled_here(
    old: &Path,
    new: &Path,
    editions: &BTreeSet<String>,
    rules: &RuleSet,
) -> (BTreeMap<Broken, Vec<String>>, BTreeSet<String>) {
    let names = (0..PAIRS).map(|number| format!("pair_{number:03}")).filter(|name| !editions.contains(name));
    let names: BTreeSet<String> = names.collect();
    let image = |folder: &Path| {
        let mut compiler = protox::Compiler::new([folder]).unwrap();
        compiler.include_imports(true).include_source_info(true);
        for name in &names {
            let files = std::fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap().path());
            compiler.open_files(files.collect::<BTreeSet<_>>()).unwrap();
        }
        Image::decode(compiler.encode_file_descriptor_set()).unwrap()
    };
    let findings = compare(&image(old), &image(new), rules).unwrap();
    let mut found = ours(&findings);
    // Without a file, nobody knows which pair it is.
    found.retain(|(_, file, _), _| !file.is_empty());
    (found, names)
}

fn pair_of(file: &str) -> &str {
    file.split('/').next().unwrap_or_default()
}

/// With each, the messages: how often, and for whoever looks at a difference.
fn theirs(lines: &str) -> BTreeMap<Broken, Vec<String>> {
    let mut found: BTreeMap<Broken, Vec<String>> = BTreeMap::new();
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let broken = (text("type"), text("path"), line["start_line"].as_u64().unwrap_or(1));
        found.entry(broken).or_default().push(text("message"));
    }
    found
}

fn ours(findings: &[Finding]) -> BTreeMap<Broken, Vec<String>> {
    let mut found: BTreeMap<Broken, Vec<String>> = BTreeMap::new();
    for finding in findings {
        let place = finding.place.as_ref();
        let line = place.and_then(|place| place.position).map_or(1, |(line, _)| u64::from(line));
        let file = place.map(|place| place.file.clone()).unwrap_or_default();
        found.entry((finding.rule.name().to_owned(), file, line)).or_default().push(finding.message());
    }
    found
}

/// Where this gate means to differ.
fn is_known((rule, file, _): &Broken, finds_more: bool, editions: &BTreeSet<String>) -> bool {
    let pair = pair_of(file);
    match rule.as_str() {
        // buf does not see that a field of an edition is required by a feature: it misses some, and others change for it only
        // because the file became an edition.
        "MESSAGE_SAME_REQUIRED_FIELDS" => editions.contains(pair),
        // buf says nothing when the package lost the last of its sort: a contract whose only service is gone would pass.
        rule => finds_more && rule.starts_with("PACKAGE_") && rule != "PACKAGE_NO_DELETE",
    }
}
