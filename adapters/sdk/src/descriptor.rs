//! What an adapter says about itself.

/// What an open adapter speaks.
#[derive(Debug, Clone)]
pub struct Descriptor {
    /// The kind's name: `mainframe`.
    pub kind: &'static str,
    /// The contracts that calls may use, as `.proto` text.
    pub contracts: Vec<ContractSource>,
    /// Methods that may be called again without a second effect (`package.Service/Method`).
    pub idempotent: Vec<String>,
    /// What stands behind, for people: `tcp 127.0.0.1:24711`. No credentials.
    pub behind: Vec<String>,
}

/// What an adapter can do besides carrying calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Abilities {
    /// [`Adapter::lookup`](crate::Adapter::lookup) tells what became of an operation.
    pub lookup: bool,
}

/// A contract as the `.proto` files an adapter generated.
#[derive(Debug, Clone)]
pub struct ContractSource {
    /// The contract's name: its proto package.
    pub name: String,
    /// Its files; imports among them and of `google/protobuf/*` resolve, others do not.
    pub files: Vec<ProtoFile>,
}

impl ContractSource {
    /// A contract whose files are built in: path and text of each.
    pub fn built_in(name: &str, files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| ProtoFile { path: (*path).to_owned(), text: (*text).to_owned() };
        Self { name: name.to_owned(), files: files.iter().map(file).collect() }
    }
}

/// One `.proto` file.
#[derive(Debug, Clone)]
pub struct ProtoFile {
    /// Import path: `bank/accounts/v1/account_inquiry.proto`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// How far a kind may be trusted; earned by tests, printed wherever the kind is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maturity {
    /// It runs against real peers in the project's tests; its settings may still change.
    Alpha,
    /// As alpha, and its settings are kept compatible.
    Beta,
    /// As beta, and it passes the whole conformance kit.
    Stable,
}

impl Maturity {
    /// The word people read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Stable => "stable",
        }
    }
}
