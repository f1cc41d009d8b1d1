//! `passerelle copybook`: from COBOL copybooks to contracts and layouts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use adapter_mainframe::FileError;

use crate::cli::CopybookCommand;
use crate::explain::Code;
use crate::failure::Failure;
use crate::output::print;

/// Writes a contract, or prints a layout.
pub(super) fn run(command: &CopybookCommand) -> Result<(), Failure> {
    match command {
        CopybookCommand::Proto { file, out } => proto(file, out.as_deref()),
        CopybookCommand::Layout { file } => {
            print(&adapter_mainframe::layout(file).map_err(refused)?);
            Ok(())
        }
    }
}

/// Writes the contract into `out` (the file's own folder unless told otherwise), and the lock to where the file says.
fn proto(file: &Path, out: Option<&Path>) -> Result<(), Failure> {
    let generated = adapter_mainframe::generate(file).map_err(refused)?;
    let folder = out.or(file.parent()).unwrap_or(Path::new(""));
    // The lock first: a contract whose numbers are not locked must not get into anybody's hands.
    write(generated.lock_path, &generated.lock_text)?;
    write(folder.join(generated.proto_path), &generated.proto_text)
}

/// Writes a file whole or not at all, and says which.
fn write(path: PathBuf, text: &str) -> Result<(), Failure> {
    let beside = path.with_added_extension("new");
    let written = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&beside, text)?;
        fs::rename(&beside, &path)
    };
    written().map_err(|error| Failure::plain(format!("cannot write {}: {error}", path.display())))?;
    println!("wrote {}", path.display());
    Ok(())
}

fn refused(error: FileError) -> Failure {
    Failure::new(Code::COPYBOOK_REFUSED, error)
}
