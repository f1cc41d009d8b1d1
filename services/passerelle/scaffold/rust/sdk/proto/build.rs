//! Compiles the contract of the port, which lies beside that of the adapter.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../../proto/passerelle");
    let image = protox::compile(["passerelle/adapter/v1/adapter.proto"], ["../../proto"])?;
    tonic_prost_build::configure()
        .build_client(false)
        .bytes(".passerelle.adapter")
        .btree_map(".passerelle")
        .compile_fds(image)?;
    Ok(())
}
