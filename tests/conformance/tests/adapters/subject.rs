//! The little ledger as a subject of the kit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use passerelle_adapter::{Secret, SecretError, SecretRef, Secrets};
use passerelle_kit::{InProcess, SubjectFile};

use super::bugs::Bug;
use super::ledger::Ledger;
use super::system::System;

/// What an integrator would write; `SYSTEM` is where the system listens.
pub(crate) const SUBJECT: &str = r#"
settings: { system: "SYSTEM" }
behind: SYSTEM
calls:
  - { method: kit.ledger.v1.Ledger/Balance, request: { account: "1" }, answer: { account: "1", cents: 3100 } }
  - { method: kit.ledger.v1.Ledger/Balance, request: { account: "2" }, answer: { account: "2", cents: "3200" } }
refusals:
  - { method: kit.ledger.v1.Ledger/Balance, request: { account: nobody }, fault: not_found }
  - { method: kit.ledger.v1.Ledger/Balance, fault: invalid }
effect:
  method: kit.ledger.v1.Ledger/Post
  request: { account: "1", cents: 5, reference: "{unique}" }
  proof: { method: kit.ledger.v1.Ledger/Balance, request: { account: "1" }, path: postings }
stream: { method: kit.ledger.v1.Ledger/Entries, request: { account: "1" }, messages: 25 }
slow: { method: kit.ledger.v1.Ledger/Report, request: { account: "1" }, takes_ms: 1000 }
markers: [hunter2, "FR7612345"]
"#;

/// There are none.
pub(crate) struct NoSecrets;

impl Secrets for NoSecrets {
    fn find(&self, _: &SecretRef) -> Result<Secret, SecretError> {
        Err(SecretError("there is no such secret".to_owned()))
    }
}

/// The subject file, with the system's address.
pub(crate) fn file(system: &System, more: &str) -> SubjectFile {
    let text = SUBJECT.replace("SYSTEM", &system.address()) + more;
    SubjectFile::parse(Path::new("conformance.yaml"), &text).expect("a subject file")
}

/// The ledger in this process, with a bug.
pub(crate) fn in_process(bug: Bug, system: &System) -> InProcess {
    InProcess {
        kind: Arc::new(Ledger(bug)),
        path: PathBuf::from("ledger.json"),
        secrets: Arc::new(NoSecrets),
        // It writes nothing.
        log: Some(Arc::new(String::new)),
        subject: file(system, ""),
    }
}
