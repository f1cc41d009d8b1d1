//! Makes Rust of the contract.

fn main() {
    passerelle_adapter_build::compile("acme/ledger/v1/ledger.proto");
}
