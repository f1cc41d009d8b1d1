//! An endpoint: a back office behind the bus, called as it is or through an adapter.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::written::{WrittenContract, WrittenEndpoint};
use super::{Address, EndpointTls, HealthCheck, Outlier, Policy};

/// An endpoint's name: `[a-z][a-z0-9-]{0,62}`, fit for logs, metrics and environment variables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z][a-z0-9-]{0,62}$"))]
pub struct EndpointName(String);

impl EndpointName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EndpointName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let well_formed = text.len() <= 63
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        match well_formed {
            true => Ok(Self(text)),
            false => Err(format!(
                "`{text}` is no endpoint name: up to 63 small letters, digits and hyphens, a letter first (card-disputes)"
            )),
        }
    }
}

impl From<EndpointName> for String {
    fn from(name: EndpointName) -> Self {
        name.0
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A back office behind the bus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenEndpoint", into = "WrittenEndpoint")]
pub enum Endpoint {
    /// It speaks gRPC and is called as it is.
    Remote(Remote),
    /// It does not: an adapter makes it look so.
    Adapter(AdapterFile),
}

/// A back office that speaks gRPC.
#[derive(Debug, Clone, PartialEq)]
pub struct Remote {
    /// Its addresses, at least one; calls are spread over them. All `http` or all `https`.
    pub addresses: Vec<Address>,
    /// TLS for `https` addresses.
    pub tls: EndpointTls,
    /// Where its contract is read from; `None`: it was added by `passerelle contract add`.
    pub contract: Option<Contract>,
    /// Connections to each address.
    pub connections: u32,
    /// How long connecting may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How often names in the addresses are resolved, in milliseconds.
    pub resolve_ms: u64,
    /// Whether servers are asked how they are.
    pub health_check: Option<HealthCheck>,
    /// When single servers get no calls for a while.
    pub outlier: Box<Outlier>,
    /// What protects it.
    pub policy: Policy,
}

impl Remote {
    /// [`Remote::connect_timeout_ms`] as a duration.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }
}

/// An endpoint served by an adapter in this process.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterFile {
    /// The adapter's kind: a name of `passerelle adapter list`.
    pub adapter: String,
    /// The file that the kind reads.
    pub file: PathBuf,
    /// What protects what stands behind.
    pub policy: Policy,
}

/// Where a contract is read from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenContract", into = "WrittenContract")]
pub enum Contract {
    /// The server tells it: `grpc.reflection.v1`, else `v1alpha`.
    Reflection,
    /// `.proto` files, compiled here.
    Proto {
        /// The files.
        files: Vec<PathBuf>,
        /// Folders that their imports are relative to; none: each file's own folder.
        include: Vec<PathBuf>,
    },
    /// A `FileDescriptorSet` or Buf image (`.binpb`).
    Image(PathBuf),
}

impl Endpoint {
    /// What protects it.
    pub fn policy(&self) -> &Policy {
        match self {
            Self::Remote(remote) => &remote.policy,
            Self::Adapter(adapter) => &adapter.policy,
        }
    }

    /// Every path in it.
    pub(super) fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Self::Adapter(adapter) => vec![&mut adapter.file],
            Self::Remote(remote) => {
                let contract: Vec<&mut PathBuf> = match &mut remote.contract {
                    None | Some(Contract::Reflection) => vec![],
                    Some(Contract::Proto { files, include }) => files.iter_mut().chain(include).collect(),
                    Some(Contract::Image(path)) => vec![path],
                };
                remote.tls.paths_mut().chain(contract).collect()
            }
        }
    }
}
