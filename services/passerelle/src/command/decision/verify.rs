//! `passerelle decision verify`: a certificate, held against the model that it names.

use std::path::PathBuf;

use clap::Args;
use passerelle_feel::dmn::{Certificate, Model};

use crate::failure::Failure;
use crate::output::print;

use super::model;

/// Which certificate, of which model.
#[derive(Debug, Args)]
#[command(
    about = "Makes a certified decision again, and compares everything",
    after_help = "Example:\n  \
        passerelle decide treatment.dmn Treatment --json '{…}' --why=json > certificate.json\n  \
        passerelle decision verify certificate.json treatment.dmn\n\n\
        The decision is made again with the inputs, at the moment and by the model that the certificate names: its version is the\n\
        SHA-256 of the file, and of those it imports in the order in which they were given. Exit code 1: it is of another model or\n\
        version, or the outcome, a rule that decided or anything on the way is another."
)]
pub struct Verify {
    /// The certificate, as `passerelle decide --why=json` prints it
    #[arg(value_name = "CERTIFICATE")]
    pub certificate: PathBuf,
    /// The model
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// A model that this one imports; may be given several times
    #[arg(long = "import", value_name = "FILE")]
    pub imports: Vec<PathBuf>,
}

/// Verifies the certificate.
pub(super) fn run(verify: &Verify) -> Result<(), Failure> {
    let model = model::read(&verify.model, &verify.imports, Model::read)?;
    let named = |error: &dyn std::fmt::Display| Failure::plain(format!("{}: {error}", verify.certificate.display()));
    let json = serde_json::from_str(&model::text(&verify.certificate)?).map_err(|error| named(&error))?;
    let certificate = Certificate::from_json(&json, &model).map_err(|error| named(&error))?;
    let (decision, steps) = (&certificate.decision, certificate.steps.len());
    print(&format!("ok: {decision} decides as certified, with the same rules in {steps} steps\n"));
    Ok(())
}
