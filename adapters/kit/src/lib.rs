//! The conformance kit: laws that every adapter must keep, in process or over the wire, and the faults under which they must hold.
//!
//! Each law is a function, with a stable name, why it matters and how to mend an adapter that breaks it ([`laws`]). What is held against them is a
//! [`SubjectFile`]: how the adapter is reached, and examples of its traffic. What cannot be checked with it is reported as not proven, never passed over.

mod bench;
mod contract;
mod law;
mod laws;
mod proxy;
mod report;
mod run;
mod subject;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

pub use law::{Finding, Law, Need};
pub use laws::all as laws;
pub use report::{Outcome, Report, Row};
pub use subject::in_process::{InProcess, Log};
pub use subject::{
    Class, EffectExample, Example, Proof, RefusalExample, SlowExample, StreamExample, SubjectError, SubjectFile, is_endpoint,
};

/// Holds an adapter in this process against the laws that `only` names (groups, or beginnings of names; none: all).
pub async fn in_process(subject: InProcess, only: &[String], told: impl FnMut(&Row)) -> Report {
    run::run(Arc::new(subject), &laws(), only, told).await
}

/// Holds an adapter over the wire against the laws. The subject file's command is started in `folder`.
///
/// # Errors
/// The subject file does not say how the adapter is reached.
pub async fn over_the_wire(
    file: SubjectFile,
    folder: PathBuf,
    only: &[String],
    told: impl FnMut(&Row),
) -> Result<Report, String> {
    let subject = wire::WireSubject::new(file, folder)?;
    Ok(run::run(Arc::new(subject), &laws(), only, told).await)
}
