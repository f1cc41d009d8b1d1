//! Finds the `passerelle` program that belongs to the running test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

const BUILD: &str = "run `cargo build --bin passerelle` first (tests/run does)";

/// The program that cargo built beside this test; fails when it is not there or older than its sources.
pub fn passerelle() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = std::env::current_exe().expect("a test has a path");
        // target/PROFILE/deps/system-… → target/PROFILE/passerelle
        let program = test.ancestors().nth(2).expect("a test lies in target/PROFILE/deps").join("passerelle");
        let built = modified(&program).unwrap_or_else(|| panic!("{} is not there: {BUILD}", program.display()));
        if let Some(newer) = newer_source(&program, built) {
            panic!("{} is older than {newer}: {BUILD}", program.display());
        }
        program
    })
}

/// Cargo writes `PROGRAM: SOURCE SOURCE …` beside the program.
fn newer_source(program: &Path, built: SystemTime) -> Option<String> {
    let sources = fs::read_to_string(program.with_extension("d")).ok()?;
    let (_, sources) = sources.split_once(": ")?;
    let newer = |source: &&str| modified(Path::new(source)).is_some_and(|modified| modified > built);
    sources.split_whitespace().find(newer).map(str::to_owned)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// The program's path, for scenes that name it in a file.
pub fn program() -> String {
    passerelle().display().to_string()
}
