//! Contracts out of files: `.proto` files compiled here, images read as they are.

use std::path::{Path, PathBuf};

use passerelle_bus::contract::Image;

use crate::explain::Code;
use crate::failure::Failure;

/// Compiles `.proto` files with all they import. Without include folders, imports are looked for from each file's [`root`].
pub(crate) fn compile(files: &[PathBuf], include: &[PathBuf]) -> Result<Image, Failure> {
    // The compiler would only say that no include folder has it.
    if let Some(file) = files.iter().find(|file| !file.exists() && !include.iter().any(|folder| folder.join(file).exists())) {
        return Err(Failure::new(Code::CONTRACT_UNCOMPILABLE, format!("there is no file {}", file.display())));
    }
    let mut folders = include.to_vec();
    if folders.is_empty() {
        folders.extend(files.iter().map(|file| root(file)));
        folders.dedup();
    }
    // Debug is protox's long form, with file, line and column.
    let refused = |error: protox::Error| Failure::new(Code::CONTRACT_UNCOMPILABLE, format!("{error:?}"));
    let mut compiler = protox::Compiler::new(folders).map_err(refused)?;
    compiler.include_source_info(true).include_imports(true).open_files(files).map_err(refused)?;
    decoded(files, compiler.encode_file_descriptor_set())
}

/// The folder from which `file` would be imported: above the folders that its package names (`protos` for a
/// `protos/bank/v1/accounts.proto` of package `bank.v1`), else its own.
fn root(file: &Path) -> PathBuf {
    let own = file.parent().unwrap_or(Path::new(""));
    let parsed = std::fs::read_to_string(file).ok().and_then(|text| protox::file::File::from_source("root.proto", &text).ok());
    let package = parsed.map(|parsed| parsed.file_descriptor_proto().package().to_owned()).unwrap_or_default();
    let named: PathBuf = package.split('.').collect();
    let above = own.ends_with(&named).then(|| own.ancestors().nth(named.components().count())).flatten();
    let root = above.unwrap_or(own);
    if root.as_os_str().is_empty() { PathBuf::from(".") } else { root.to_owned() }
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
    Image::decode(bytes).map_err(|error| Failure::new(Code::CONTRACT_UNCOMPILABLE, format!("{}: {error}", listed(files))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(image: &Image) -> Vec<&str> {
        image.files().iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn imports_are_found_above_the_folders_of_the_package() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("protos/bank/v1");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("types.proto"), "syntax = \"proto3\"; package bank.v1; message M {}").unwrap();
        let text = "syntax = \"proto3\"; package bank.v1; import \"bank/v1/types.proto\"; service S { rpc Do(M) returns (M); }";
        std::fs::write(own.join("accounts.proto"), text).unwrap();
        let image = compile(&[own.join("accounts.proto")], &[]).unwrap();
        assert_eq!(names(&image), ["bank/v1/types.proto", "bank/v1/accounts.proto"]);
        let image = compile(&[own.join("types.proto")], std::slice::from_ref(&own)).unwrap();
        assert_eq!(names(&image), ["types.proto"]);
    }

    #[test]
    fn a_file_in_no_folder_of_its_package_is_imported_from_its_own() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.proto"), "syntax = \"proto3\"; package bank.v1; message M {}").unwrap();
        assert_eq!(names(&compile(&[folder.path().join("a.proto")], &[]).unwrap()), ["a.proto"]);
    }

    #[test]
    fn what_does_not_compile_is_named_by_file_line_and_column() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.proto"), "syntax = \"proto3\";\nmessage M { string name = 1 }").unwrap();
        let text = compile(&[folder.path().join("a.proto")], &[]).unwrap_err().text();
        expect_test::expect![[r#"
            error: a.proto:2:29: expected ';' or '[', but found '}'
            P0007: `passerelle explain P0007` tells what it means and the way out"#]]
        .assert_eq(&text);
    }
}
