//! For an adapter's build script: makes Rust of its contract. For each service a trait, for all of them what carries calls to it.

mod generate;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use generate::Traits;

/// Compiles a contract below the folder `proto`, such as `acme/ledger/v1/ledger.proto`, into `contract.rs` in the build's folder,
/// which is to be included. Its module `contract` has:
///
/// - its messages, by prost;
/// - for each service a trait with a function for each method;
/// - the function `contract`, by which `passerelle-adapter-typed` carries calls to who has those traits.
///
/// What is wrong with the contract fails the build, with file, line and column.
pub fn compile(contract: &str) {
    println!("cargo::rerun-if-changed=proto");
    if let Err(error) = compiled(contract) {
        println!("cargo::error={error}");
    }
}

fn compiled(contract: &str) -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run by cargo only")?);
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_file(Path::new("proto").join(contract))?;
    let image = compiler.file_descriptor_set();
    let own = image.file.iter().filter(|file| !file.name().starts_with("google/protobuf/"));
    let files = own.map(|file| file.name().to_owned()).collect();
    let file = image.file.iter().find(|file| file.name() == contract).ok_or("the contract is not among what was compiled")?;
    fs::write(out.join("contract.rs"), generate::contract(file.package()))?;
    prost_build::Config::new()
        .include_file("packages.rs")
        .btree_map(["."])
        .service_generator(Box::new(Traits::new(file, files)))
        .compile_fds(image)?;
    Ok(())
}
