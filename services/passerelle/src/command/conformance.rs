//! `passerelle conformance`: holds an adapter in any language against the laws of the port.

use std::path::PathBuf;

use clap::Args;

/// Which adapter to hold against the laws, and what to write.
#[derive(Debug, Args)]
#[command(
    about = "Holds an adapter, in any language, against the laws of the adapter port, with faults put between it and the system behind",
    after_help = "The subject file says how the adapter is reached or started, and gives examples of its traffic; what it does not give is reported as\n\
        not proven. `passerelle reference conformance` tells every key of it, and every law.\n\n\
        Exit codes: 0 no law is broken, 1 a law is broken, 2 the subject cannot be used."
)]
pub struct Conformance {
    /// Where the adapter listens: unix:PATH or http://HOST:PORT; goes before that of the subject file
    #[arg(long, value_name = "ENDPOINT")]
    pub endpoint: Option<String>,
    /// What the kit is told about the adapter (YAML)
    #[arg(long, value_name = "FILE")]
    pub subject: Option<PathBuf>,
    /// Only these laws: a group (`drain`) or the beginning of their names (`effect.same-key`); may be repeated
    #[arg(long, value_name = "GROUP")]
    pub only: Vec<String>,
    /// Write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}
