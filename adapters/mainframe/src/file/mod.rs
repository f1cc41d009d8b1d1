//! The file an integrator writes: one struct is the parser, the JSON schema and the reference.

mod host;
mod operation;
mod place;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use passerelle_adapter::Misread;
use passerelle_copybook::Encoding;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::{DefaultMessageFormatter, MessageFormatter, Spanned};

pub(crate) use host::{Credentials, ExitId, Framing, Host, Irm, SyncLevel, TrancodeHeader, TransportKind};
pub(crate) use operation::{ErrorRule, Operation, Status};
pub use place::FileError;

/// The largest file that is read, in bytes.
const FILE_LIMIT_BYTES: usize = 4 << 20;

/// A mainframe back office: where it is, and which of its transactions become methods of a gRPC contract.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Passerelle mainframe adapter")]
pub(crate) struct File {
    /// Says which adapter reads this file: always `mainframe`.
    #[allow(dead_code, reason = "read so that the key is checked; the binary has chosen the adapter by it")]
    pub(crate) adapter: AdapterName,
    /// The gRPC contract that the operations make.
    pub(crate) contract: Contract,
    /// The systems that run the transactions, by a name of your choice.
    #[schemars(with = "BTreeMap<String, Host>")]
    pub(crate) hosts: BTreeMap<String, Spanned<Host>>,
    /// How the hosts write characters and numbers.
    #[serde(default)]
    pub(crate) codec: Encoding,
    /// The methods, by name (`InquireAccounts`).
    #[schemars(with = "BTreeMap<String, Operation>")]
    pub(crate) operations: BTreeMap<String, Spanned<Operation>>,
}

/// The adapter's name.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AdapterName {
    /// This adapter.
    Mainframe,
}

/// The gRPC contract's names.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contract {
    /// The proto package: `bank.accounts.v1`.
    pub(crate) package: String,
    /// The service in it: `AccountInquiry`.
    pub(crate) service: String,
    /// The lock file that keeps field numbers, relative to this file: `accounts.lock.yaml`.
    pub(crate) lock: PathBuf,
}

impl File {
    /// Reads the text; `path` is for messages only.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        let file: Self = read_yaml(path, text)?;
        file.check(path)?;
        Ok(file)
    }

    /// The JSON schema (2020-12) of the file.
    pub(crate) fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }

    /// The host of an operation: the named one, or the only one. [`File::check`] has made sure that there is one.
    pub(crate) fn host_of<'a>(&'a self, operation: &'a Operation) -> Option<&'a str> {
        match &operation.host {
            Some(name) => Some(name.value.as_str()),
            None => self.hosts.keys().next().map(String::as_str),
        }
    }

    fn check(&self, path: &Path) -> Result<(), FileError> {
        if self.hosts.is_empty() {
            return Err(FileError::whole(path, "hosts is empty: name at least one host"));
        }
        if self.operations.is_empty() {
            return Err(FileError::whole(path, "operations is empty: declare at least one operation"));
        }
        for (name, host) in &self.hosts {
            host.value.check().map_err(|problem| FileError::at(path, host.referenced, format!("host {name}: {problem}")))?;
        }
        for (name, operation) in &self.operations {
            self.check_operation(path, name, operation)?;
        }
        Ok(())
    }

    fn check_operation(&self, path: &Path, name: &str, operation: &Spanned<Operation>) -> Result<(), FileError> {
        let here = |problem: String| FileError::at(path, operation.referenced, format!("operation {name}: {problem}"));
        if !is_method_name(name) {
            return Err(here(
                "the name becomes a gRPC method: a capital letter, then letters and digits (`InquireAccounts`)".into(),
            ));
        }
        let names = || self.hosts.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let host = match &operation.value.host {
            Some(host) => self.hosts.get(&host.value).ok_or_else(|| {
                FileError::at(path, host.referenced, format!("unknown host `{}`, hosts has: {}", host.value, names()))
            })?,
            None if self.hosts.len() == 1 => self.hosts.values().next().ok_or_else(|| here("no host".into()))?,
            None => return Err(here(format!("say which host runs it with `host:`, one of: {}", names()))),
        };
        operation.value.check(&host.value).map_err(here)
    }
}

/// Reads YAML into a type; the error says file, line and column, and the path of the field where one is concerned.
pub(crate) fn read_yaml<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, FileError> {
    if text.len() > FILE_LIMIT_BYTES {
        return Err(FileError::whole(path, format!("the file is {} bytes, the limit is {FILE_LIMIT_BYTES}", text.len())));
    }
    passerelle_adapter::yaml(text).map_err(|Misread { error, field }| {
        let message = words(error.without_snippet());
        // A place that remembers where it stands is a level of its own to the parser.
        let message = match format!("{field}.").replace(".value.", ".").trim_end_matches('.') {
            "" => message,
            field => format!("{field}: {message}"),
        };
        match error.location() {
            Some(location) => FileError::at(path, location, message),
            None => FileError::whole(path, message),
        }
    })
}

/// The parser's message, in the words of the file rather than of Rust.
fn words(error: &serde_saphyr::Error) -> String {
    if let serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } = error {
        return format!("`{key}` is written twice");
    }
    let message = DefaultMessageFormatter.format_message(error);
    if message.starts_with("tabs disallowed") {
        return "a tab indents here; YAML takes spaces only".to_owned();
    }
    match message.strip_prefix("invalid u").and_then(|bits| bits.parse::<u32>().ok()) {
        Some(bits @ 8..=64) => format!("expected a whole number from 0 to {}", u64::MAX >> (64 - bits)),
        _ => message.into_owned(),
    }
}

fn is_method_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}
