//! Contracts out of files: `.proto` files compiled here, images read as they are.

use std::path::{Path, PathBuf};

use passerelle_bus::contract::Image;

use crate::explain::Code;
use crate::failure::Failure;

/// Compiles `.proto` files with all they import. Without include folders each file's own folder is one.
pub(crate) fn compile(files: &[PathBuf], include: &[PathBuf]) -> Result<Image, Failure> {
    let own = || {
        files
            .iter()
            .filter_map(|file| file.parent())
            .map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
    };
    let folders: Vec<&Path> = if include.is_empty() { own().collect() } else { include.iter().map(PathBuf::as_path).collect() };
    // Debug is protox's long form, with file, line and column.
    let refused = |error: protox::Error| Failure::new(Code::CONTRACT_UNCOMPILABLE, format!("{error:?}"));
    let mut compiler = protox::Compiler::new(folders).map_err(refused)?;
    compiler.include_source_info(true).include_imports(true).open_files(files).map_err(refused)?;
    decoded(files, compiler.encode_file_descriptor_set())
}

/// Reads a `FileDescriptorSet` or Buf image.
pub(crate) fn image(path: &Path) -> Result<Image, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::new(Code::CONTRACT_UNCOMPILABLE, format!("cannot read {}: {error}", path.display())))?;
    decoded(&[path.to_owned()], bytes)
}

/// File names for people.
pub(crate) fn listed(files: &[PathBuf]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap_or(file.as_os_str()).to_string_lossy()).collect();
    names.join(", ")
}

fn decoded(files: &[PathBuf], bytes: Vec<u8>) -> Result<Image, Failure> {
    Image::decode(bytes).map_err(|error| Failure::new(Code::CONTRACT_REFUSED, format!("{}: {error}", listed(files))))
}
