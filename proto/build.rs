//! Compiles every contract of Passerelle: Rust types, and the descriptors that reflection serves.

use std::path::{Path, PathBuf};
use std::{env, error, fs};

fn main() -> Result<(), Box<dyn error::Error>> {
    compile("passerelle", ".", "descriptors.binpb")?;
    // The back offices of the demo: nobody's contract, so they stay out of our own descriptors.
    compile("sample", "sample", "sample.binpb")
}

fn compile(folder: &str, include: &str, descriptors: &str) -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed={folder}");
    let mut files = Vec::new();
    proto_files(Path::new(folder), &mut files)?;
    files.sort();
    let mut compiler = protox::Compiler::new([include])?;
    compiler.include_imports(true).include_source_info(true);
    for file in &files {
        compiler.open_file(file)?;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run by cargo only")?);
    // As the compiler encodes them: the Rust types below would drop our options from the bytes.
    fs::write(out.join(descriptors), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .build_transport(true)
        // Bodies are shared, not copied.
        .bytes("passerelle.bus.v1.Message.data")
        .bytes("passerelle.bus.v1.Record.answer")
        .bytes("passerelle.bus.v1.Answered.answer")
        .bytes(".passerelle.adapter")
        .bytes(".passerelle.backoffice.documents")
        .bytes(".passerelle.backoffice.files")
        // Deciders give the same bytes every time: no map whose order is by chance.
        .btree_map(".passerelle")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

fn proto_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            proto_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
