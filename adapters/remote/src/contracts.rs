//! Whether the contracts that an adapter tells compile: one that does not is found before it is registered, and quarantines the adapter.

use std::collections::HashMap;

use passerelle_proto::adapter::v1::Contract;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

/// Why a contract cannot be used, with file, line and column; `None`: all can.
pub(crate) fn problem(contracts: &[Contract]) -> Option<String> {
    contracts.iter().find_map(|contract| match contract.name.is_empty() || contract.files.is_empty() {
        true => Some(format!("the contract {:?} has no name or no files", contract.name)),
        false => compile(contract).err().map(|error| format!("the contract {} does not compile: {error}", contract.name)),
    })
}

fn compile(contract: &Contract) -> Result<(), String> {
    let mut resolver = ChainFileResolver::new();
    resolver.add(Texts(contract.files.iter().map(|file| (file.path.clone(), file.text.clone())).collect()));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    let opened = compiler.open_files(contract.files.iter().map(|file| &file.path));
    // Debug is protox's long form, with file, line and column.
    opened.map(drop).map_err(|error| format!("{error:?}").chars().take(1_024).collect())
}

struct Texts(HashMap<String, String>);

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let text = self.0.get(name).ok_or_else(|| protox::Error::file_not_found(name))?;
        File::from_source(name, text)
    }
}

#[cfg(test)]
mod tests {
    use passerelle_proto::adapter::v1::ProtoFile;

    use super::*;

    #[test]
    fn a_contract_that_does_not_compile_is_told_with_its_place() {
        let contract = |text: &str| {
            let file = ProtoFile { path: "acme/a.proto".to_owned(), text: text.to_owned() };
            [Contract { name: "acme".to_owned(), files: vec![file] }]
        };
        assert_eq!(problem(&contract("syntax = \"proto3\"; package acme; import \"google/protobuf/any.proto\";")), None);
        let wrong = problem(&contract("syntax = \"proto3\";\nmessage A { Missing b = 1; }")).unwrap();
        assert!(wrong.contains("the contract acme does not compile") && wrong.contains("Missing"), "{wrong}");
        assert!(problem(&[Contract::default()]).unwrap().contains("no name or no files"));
    }
}
