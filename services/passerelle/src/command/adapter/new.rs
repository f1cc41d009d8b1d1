//! `passerelle adapter new`: a folder with an adapter that works, to be made into another one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::name::Name;
use super::{python, rust, sample};
use crate::failure::Failure;
use crate::output::print;

/// What is asked for.
#[derive(Debug, clap::Args)]
#[command(
    about = "Makes a folder with an adapter of your own: a sample that works, held against the laws by one command",
    after_help = "The sample is a small ledger in SQLite. Its README tells the way from there to an adapter for another system."
)]
pub struct New {
    /// The adapter's name in your name space, such as acme/ledger: lower-case letters, digits and dashes
    name: Name,
    /// The language that it is written in
    #[arg(long, value_enum)]
    lang: Language,
    /// Where to write it: a folder that is empty, or not there [default: ./NAME without the name space]
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

/// A language that there is a sample in.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Language {
    /// Python 3.11 or newer, on grpcio
    Python,
    /// Rust 1.95 or newer, on tonic
    Rust,
}

/// A file of a sample: its path, and its text.
pub(super) type SampleFile = (&'static str, &'static str);

/// Writes the folder, and says what to do next.
pub(super) fn run(new: &New) -> Result<(), Failure> {
    let folder = new.into.clone().unwrap_or_else(|| PathBuf::from(new.name.folder()));
    must_be_free(&folder)?;
    let (own, library): (_, &[SampleFile]) = match new.lang {
        Language::Python => (python::FILES, &[]),
        Language::Rust => (rust::FILES, rust::SDK),
    };
    for (path, text) in own.iter().chain(sample::FILES) {
        write(&folder.join(new.name.put_into(path)), &new.name.put_into(text))?;
    }
    for (below, files) in [("proto", sample::PORT), ("sdk", library)] {
        for (path, text) in files {
            write(&folder.join(below).join(path), text)?;
        }
    }
    print(&next(&folder));
    Ok(())
}

fn next(folder: &Path) -> String {
    format!(
        "{folder} is an adapter that works. Next:\n  \
        cd {folder}\n  \
        ./run            installs what it needs, and serves\n  \
        ./run kit        holds it against the laws of the port\n  \
        README.md        the hour from here to an adapter of your own\n",
        folder = folder.display()
    )
}

fn must_be_free(folder: &Path) -> Result<(), Failure> {
    let there = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::plain(format!("cannot write into {}: {error}", folder.display()))),
        Ok(mut there) => there.next().is_some(),
    };
    if there {
        let why = format!("{} is not empty: name another folder with --into, nothing is overwritten", folder.display());
        return Err(Failure::plain(why));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::plain(format!("cannot write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)?;
    if text.starts_with("#!") {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn files_below(folder: &Path, below: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder.join(below)).unwrap().map(Result::unwrap) {
            let path = format!("{below}{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                // What tools leave where they ran.
                true if path.ends_with("__pycache__") || path.ends_with(".mypy_cache") => {}
                // A list of its own has the library.
                true if folder.ends_with("scaffold/rust") && path == "sdk" => {}
                true => files_below(folder, &format!("{path}/"), found),
                false => drop(found.insert(path)),
            }
        }
    }

    /// Fails unless the list has every file of the folder.
    fn check(folder: &str, listed: &[SampleFile]) {
        let mut there = BTreeSet::new();
        files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "", &mut there);
        let listed = listed.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(there, listed, "{folder}: what lies there, and what its list has");
    }

    #[test]
    fn every_file_of_the_samples_is_written() {
        check("scaffold/python", python::FILES);
        check("scaffold/sample", sample::FILES);
        let below = |folder: &str, files: &[SampleFile]| -> Vec<SampleFile> {
            files.iter().filter_map(|(path, text)| Some((path.strip_prefix(folder)?.strip_prefix('/')?, *text))).collect()
        };
        check("../../adapters/sdk", &below("adapter", rust::SDK));
        check("../../adapters/server", &below("server", rust::SDK));
        check("../../adapters/typed", &below("typed", rust::SDK));
        check("scaffold/rust/sdk/proto", &below("proto", rust::SDK));
        let own: Vec<SampleFile> = rust::FILES.iter().filter(|(path, _)| *path != "rustfmt.toml").copied().collect();
        check("scaffold/rust", &own);
    }
}
