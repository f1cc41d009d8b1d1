//! An endpoint as people write it, and the way from there to the form that the rest of the program uses.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AdapterFile, Address, Contract, Endpoint, EndpointTls, HealthCheck, Outlier, Policy, Remote};

/// A back office, in one of two forms: `addresses` of a server that speaks gRPC, or an `adapter` and its `file`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Endpoint")]
pub(super) struct WrittenEndpoint {
    /// The server's addresses, `http://host:port` or `https://host:port`; calls are spread over them. A host that is a name stands for all
    /// servers that it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<Vec<Address>>,
    /// TLS for `https` addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<EndpointTls>,
    /// Where the server's contract is read from. Not given: it was or will be added by `passerelle contract add`.
    #[serde(skip_serializing_if = "Option::is_none")]
    contract: Option<Contract>,
    /// Connections to each address. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    connections: Option<u32>,
    /// How long connecting may take, in milliseconds. Default: 2000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 600_000))]
    connect_timeout_ms: Option<u64>,
    /// How often hosts that are names are resolved, in milliseconds, and besides whenever a server is lost. Default: 30000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1_000, max = 86_400_000))]
    resolve_ms: Option<u64>,
    /// Asks each server how it is. Not given: they are not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    health_check: Option<HealthCheck>,
    /// When a server that does worse than the others gets no calls for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    outlier: Option<Outlier>,
    /// The adapter's kind, a name of `passerelle adapter list`, for a back office that speaks no gRPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    adapter: Option<String>,
    /// The file that the adapter reads (`passerelle adapter describe NAME`).
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    /// What protects the back office: how many calls it gets, when, and who waits for it.
    policy: Policy,
}

/// Where a contract is read from; exactly one of `reflection`, `proto` and `image`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Contract")]
pub(super) struct WrittenContract {
    /// `true`: the server tells it by gRPC server reflection (v1, else v1alpha), when Passerelle starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    reflection: Option<bool>,
    /// `.proto` files, compiled when Passerelle starts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    proto: Vec<PathBuf>,
    /// Folders that the imports of `proto` are relative to. Default: each file's own folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    include: Vec<PathBuf>,
    /// A FileDescriptorSet or Buf image (`.binpb`).
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<PathBuf>,
}

impl JsonSchema for Endpoint {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        WrittenEndpoint::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        WrittenEndpoint::json_schema(generator)
    }
}

impl JsonSchema for Contract {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        WrittenContract::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        WrittenContract::json_schema(generator)
    }
}

impl TryFrom<WrittenEndpoint> for Endpoint {
    type Error = String;

    fn try_from(written: WrittenEndpoint) -> Result<Self, String> {
        match (&written.addresses, &written.adapter) {
            (Some(_), Some(_)) => {
                Err("`addresses` and `adapter` exclude each other: a back office is called as it is, or through an adapter"
                    .into())
            }
            (None, None) => Err("an endpoint needs `addresses` (a server that speaks gRPC) or `adapter` and `file`".into()),
            (Some(_), None) => written.into_remote().map(Self::Remote),
            (None, Some(_)) => written.into_adapter().map(Self::Adapter),
        }
    }
}

impl WrittenEndpoint {
    fn into_remote(self) -> Result<Remote, String> {
        if self.file.is_some() {
            return Err("`file` belongs to `adapter`, this endpoint has `addresses`".into());
        }
        let addresses = self.addresses.unwrap_or_default();
        let tls = self.tls.unwrap_or_default();
        let https = addresses.iter().filter(|address| address.is_https()).count();
        if addresses.is_empty() {
            return Err("`addresses` is empty: name at least one, for example http://127.0.0.1:50051".into());
        }
        if https != 0 && https != addresses.len() {
            return Err("`addresses` mixes http and https; use one of them for all".into());
        }
        if https != 0 && tls.ca.is_none() {
            return Err("https addresses need `tls: { ca: FILE }`, the authority that signed the server's certificate".into());
        }
        if https == 0 && tls != EndpointTls::default() {
            return Err("`tls` is given but the addresses begin with http://; write https:// or leave `tls` out".into());
        }
        if tls.certificate.is_some() != tls.key.is_some() {
            return Err("`tls.certificate` and `tls.key` need each other".into());
        }
        Ok(Remote {
            addresses,
            tls,
            contract: self.contract,
            connections: self.connections.unwrap_or(1),
            connect_timeout_ms: self.connect_timeout_ms.unwrap_or(2000),
            resolve_ms: self.resolve_ms.unwrap_or(30_000),
            health_check: self.health_check,
            outlier: Box::new(self.outlier.unwrap_or_default()),
            policy: self.policy,
        })
    }

    fn into_adapter(self) -> Result<AdapterFile, String> {
        let foreign = [
            ("tls", self.tls.is_some()),
            ("contract", self.contract.is_some()),
            ("connections", self.connections.is_some()),
            ("connect_timeout_ms", self.connect_timeout_ms.is_some()),
            ("resolve_ms", self.resolve_ms.is_some()),
            ("health_check", self.health_check.is_some()),
            ("outlier", self.outlier.is_some()),
        ];
        if let Some((key, _)) = foreign.iter().find(|(_, given)| *given) {
            return Err(format!("`{key}` belongs to an endpoint with `addresses`; an adapter takes its own from its `file`"));
        }
        match (self.adapter, self.file) {
            (Some(adapter), Some(file)) => Ok(AdapterFile { adapter, file, policy: self.policy }),
            _ => Err("`adapter` needs `file`, the adapter's own settings".into()),
        }
    }
}

impl From<Endpoint> for WrittenEndpoint {
    fn from(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Adapter(AdapterFile { adapter, file, policy }) => {
                Self { adapter: Some(adapter), file: Some(file), policy, ..Self::default() }
            }
            Endpoint::Remote(remote) => Self {
                addresses: Some(remote.addresses),
                tls: (remote.tls != EndpointTls::default()).then_some(remote.tls),
                contract: remote.contract,
                connections: Some(remote.connections),
                connect_timeout_ms: Some(remote.connect_timeout_ms),
                resolve_ms: Some(remote.resolve_ms),
                health_check: remote.health_check,
                outlier: Some(*remote.outlier),
                policy: remote.policy,
                ..Self::default()
            },
        }
    }
}

impl TryFrom<WrittenContract> for Contract {
    type Error = String;

    fn try_from(written: WrittenContract) -> Result<Self, String> {
        let WrittenContract { reflection, proto, include, image } = written;
        if !include.is_empty() && proto.is_empty() {
            return Err("`include` belongs to `proto`".into());
        }
        match (reflection.unwrap_or(false), proto.is_empty(), image) {
            (true, true, None) => Ok(Self::Reflection),
            (false, false, None) => Ok(Self::Proto { files: proto, include }),
            (false, true, Some(image)) => Ok(Self::Image(image)),
            _ => Err("a contract comes from exactly one of `reflection: true`, `proto: [FILE]` and `image: FILE`".into()),
        }
    }
}

impl From<Contract> for WrittenContract {
    fn from(contract: Contract) -> Self {
        match contract {
            Contract::Reflection => Self { reflection: Some(true), ..Self::default() },
            Contract::Proto { files, include } => Self { proto: files, include, ..Self::default() },
            Contract::Image(path) => Self { image: Some(path), ..Self::default() },
        }
    }
}
