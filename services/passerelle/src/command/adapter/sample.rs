//! The sample in every language: its contract, its tables, what the kit and a bus are told of it, and the contract of the port.

use super::new::SampleFile;

/// Each file with its text, as in `scaffold/sample`.
pub(super) const FILES: &[SampleFile] = &[
    ("adapter.yaml", include_str!("../../../scaffold/sample/adapter.yaml")),
    ("conformance.yaml", include_str!("../../../scaffold/sample/conformance.yaml")),
    ("passerelle.yaml", include_str!("../../../scaffold/sample/passerelle.yaml")),
    ("proto/acme/ledger/v1/ledger.proto", include_str!("../../../scaffold/sample/proto/acme/ledger/v1/ledger.proto")),
    ("schema.sql", include_str!("../../../scaffold/sample/schema.sql")),
];

/// The contract of the port, below `proto`.
pub(super) const PORT: &[SampleFile] = &passerelle_proto::adapter::FILES;
