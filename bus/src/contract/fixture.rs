//! Descriptors for tests, compiled from `.proto` text.

use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

struct Texts(Vec<(String, String)>);

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.iter().find(|(known, _)| known == name) {
            Some((name, text)) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// A `FileDescriptorSet` of `files` (path, text) with all imports and comments.
pub(crate) fn compile(files: &[(&str, &str)]) -> Vec<u8> {
    let mut resolver = ChainFileResolver::new();
    resolver.add(Texts(files.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect()));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true);
    for (name, _) in files {
        compiler.open_file(name).unwrap();
    }
    compiler.encode_file_descriptor_set()
}

/// A contract with one service `package.Service`, whose request has the given fields.
pub(crate) fn contract(package: &str, fields: &str) -> Vec<u8> {
    let text = format!(
        "syntax = \"proto3\"; package {package}; \
         message Asked {{ {fields} }} message Told {{ string text = 1; }} \
         service Desk {{ rpc Ask(Asked) returns (Told); rpc Follow(stream Asked) returns (stream Told); }}"
    );
    compile(&[(&format!("{}.proto", package.replace('.', "/")), &text)])
}
