//! `hosts:` of the integrator's file: how a host is reached.

use std::time::Duration;

use passerelle_adapter::SecretRef;
use passerelle_adapter_tls::TlsSettings;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::names::check_name;

/// A system that runs transactions.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Host {
    /// How the host is spoken to.
    pub(crate) transport: TransportKind,
    /// Its addresses, `name:port`; calls go round them, an address that cannot be connected is left out for a while.
    pub(crate) endpoints: Vec<String>,
    /// Protects the connections; they are in clear without it.
    pub(crate) tls: Option<TlsSettings>,
    /// `tcp` only: how a record is framed.
    pub(crate) framing: Option<Framing>,
    /// `ims_connect` only: the IMS request message header.
    pub(crate) irm: Option<Irm>,
    /// `ims_connect` only: who the bus is to RACF.
    pub(crate) credentials: Option<Credentials>,
    /// The connections that are kept open.
    #[serde(default)]
    pub(crate) pool: Pool,
    /// How long connecting to one address may take, in milliseconds.
    #[serde(default = "default_connect_timeout_ms")]
    pub(crate) connect_timeout_ms: u64,
    /// The largest answer that is accepted, in bytes; a longer one is a fault, whatever its length field claims.
    #[serde(default = "default_response_limit_bytes")]
    pub(crate) response_limit_bytes: u32,
}

/// The transports that are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TransportKind {
    /// A length field, then the record: sockets in CICS and home-made bridges.
    Tcp,
    /// IMS Connect with the exits HWSSMPL0 or HWSSMPL1.
    ImsConnect,
}

/// How a record is framed on `tcp`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Framing {
    /// Size of the big-endian length field, in bytes: 2 or 4.
    pub(crate) length_bytes: u8,
    /// Whether the length counts the length field too.
    pub(crate) length_includes_itself: bool,
    /// What stands between the length and the record of a request.
    pub(crate) header: TrancodeHeader,
}

impl Default for Framing {
    fn default() -> Self {
        Self { length_bytes: 4, length_includes_itself: true, header: TrancodeHeader::None }
    }
}

/// What stands between the length and the record of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TrancodeHeader {
    /// Nothing: the port, or the record itself, says which program is meant.
    None,
    /// The operation's `trancode` in the host's code page, padded with blanks to 8 bytes.
    Trancode,
}

/// The IMS request message header (IRM).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Irm {
    /// The user message exit.
    #[serde(default)]
    pub(crate) id: ExitId,
    /// The header's architecture level: 0 (80 bytes) or 1 (104 bytes).
    #[serde(default = "default_arch")]
    pub(crate) arch: u8,
    /// The data store (IMS) that runs the transactions, as IMS Connect knows it.
    pub(crate) datastore: String,
    /// First letters of the client IDs, at most 3; five more make each connection's ID unique.
    #[serde(default = "default_client_prefix")]
    pub(crate) client_prefix: String,
    /// The logical terminal to name, if the transactions want one.
    pub(crate) lterm: Option<String>,
    /// The application name for RACF PassTickets; needs `arch: 1`.
    pub(crate) application: Option<String>,
    /// When IMS commits. Only `cm1` (send, then commit): an unclaimed `cm0` answer could reach another caller.
    #[serde(default)]
    #[allow(dead_code, reason = "one value today; read so that `cm0` is refused with words")]
    pub(crate) commit_mode: CommitMode,
    /// Whether IMS waits for our acknowledgement before it commits.
    #[serde(default)]
    pub(crate) sync_level: SyncLevel,
}

/// The user message exits that are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum ExitId {
    /// HWSSMPL0: answers have no total length.
    #[serde(rename = "*SAMPLE*")]
    Sample0,
    /// HWSSMPL1: answers begin with their total length.
    #[default]
    #[serde(rename = "*SAMPL1*")]
    Sample1,
}

/// When IMS commits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CommitMode {
    /// Send, then commit.
    #[default]
    Cm1,
}

/// Whether IMS waits for our acknowledgement before it commits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SyncLevel {
    /// It commits once the answer is sent.
    #[default]
    None,
    /// It commits once we acknowledged the answer, and tells us so: one more round trip.
    Confirm,
}

/// Who the bus is to RACF. Only references to secrets, never values.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The user ID: `${env:IMS_USER}` or `${file:/run/secrets/ims-user}`.
    #[schemars(with = "String")]
    pub(crate) user: SecretRef,
    /// The password, at most 8 characters.
    #[schemars(with = "String")]
    pub(crate) password: SecretRef,
    /// The group, if RACF wants one.
    #[schemars(with = "Option<String>")]
    pub(crate) group: Option<SecretRef>,
}

/// The connections that are kept open to a host.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Pool {
    /// Most connections at a time, hence most calls in flight.
    pub(crate) max: u16,
    /// Most calls that wait for a connection; further ones are throttled.
    pub(crate) waiting_max: u16,
    /// An unused connection is closed after this many milliseconds.
    pub(crate) idle_ms: u64,
}

impl Default for Pool {
    fn default() -> Self {
        Self { max: 16, waiting_max: 1024, idle_ms: 60_000 }
    }
}

impl Host {
    /// The largest answer a host may be allowed: what IMS Connect sends at most.
    const RESPONSE_LIMIT_MAX_BYTES: u32 = 10_000_000;

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if self.endpoints.is_empty() {
            return Err("endpoints is empty: write at least one `name:port`".into());
        }
        for endpoint in &self.endpoints {
            check_endpoint(endpoint)?;
        }
        if self.pool.max == 0 || self.connect_timeout_ms == 0 || self.pool.idle_ms == 0 {
            return Err("pool.max, pool.idle_ms and connect_timeout_ms must be above 0".into());
        }
        if !(64..=Self::RESPONSE_LIMIT_MAX_BYTES).contains(&self.response_limit_bytes) {
            return Err(format!("response_limit_bytes must be from 64 to {}", Self::RESPONSE_LIMIT_MAX_BYTES));
        }
        match self.transport {
            TransportKind::Tcp => self.check_tcp(),
            TransportKind::ImsConnect => self.check_ims_connect(),
        }
    }

    fn check_tcp(&self) -> Result<(), String> {
        if self.irm.is_some() || self.credentials.is_some() {
            return Err("irm and credentials belong to `transport: ims_connect`, this host is `tcp`".into());
        }
        match self.framing.unwrap_or_default().length_bytes {
            2 | 4 => Ok(()),
            other => Err(format!("framing.length_bytes is {other}, it may be 2 or 4")),
        }
    }

    fn check_ims_connect(&self) -> Result<(), String> {
        if self.framing.is_some() {
            return Err("framing belongs to `transport: tcp`, this host is `ims_connect`".into());
        }
        let irm = self.irm.as_ref().ok_or("an ims_connect host needs `irm: { datastore: … }`")?;
        if irm.arch > 1 {
            return Err(format!("irm.arch is {}, it may be 0 or 1", irm.arch));
        }
        if irm.arch == 0 && irm.application.is_some() {
            return Err("irm.application needs `arch: 1`".into());
        }
        if irm.client_prefix.is_empty() || irm.client_prefix.len() > 3 {
            return Err("irm.client_prefix takes 1 to 3 characters".into());
        }
        let lterm = irm.lterm.as_deref().unwrap_or_default();
        let application = irm.application.as_deref().unwrap_or_default();
        for (key, name) in [
            ("datastore", irm.datastore.as_str()),
            ("client_prefix", irm.client_prefix.as_str()),
            ("lterm", lterm),
            ("application", application),
        ] {
            check_name(name).map_err(|problem| format!("irm.{key}: {problem}"))?;
        }
        Ok(())
    }
}

fn check_endpoint(endpoint: &str) -> Result<(), String> {
    let port = endpoint.rsplit_once(':').filter(|(name, _)| !name.is_empty()).and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(_) => Ok(()),
        None => Err(format!("`{endpoint}` is no address: write `name:port`")),
    }
}

fn default_connect_timeout_ms() -> u64 {
    2_000
}

fn default_response_limit_bytes() -> u32 {
    1 << 20
}

fn default_arch() -> u8 {
    1
}

fn default_client_prefix() -> String {
    "PSR".into()
}
