//! `operations:` of the integrator's file: a transaction that becomes a method.

use std::time::Duration;

use passerelle_copybook::{Fields, MessageRules};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::host::{Host, TrancodeHeader, TransportKind};
use crate::names::check_name;

/// A transaction that becomes a method of the contract.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    /// Which of `hosts` runs it; may be left out when there is one.
    #[schemars(with = "Option<String>")]
    pub(crate) host: Option<Spanned<String>>,
    /// The IMS transaction code, or the program that a `tcp` front end calls: at most 8 characters. On `tcp` with
    /// `framing.header: none` it is not sent: it only names the exchange to operators.
    pub(crate) trancode: Option<String>,
    /// The record that the host gets.
    pub(crate) request: MessageRules,
    /// The record that the host answers.
    pub(crate) response: MessageRules,
    /// Names, types and choices for fields of both records, by COBOL name.
    #[serde(default)]
    pub(crate) fields: Fields,
    /// Which answers are a refusal; the first rule that holds counts.
    #[serde(default)]
    pub(crate) errors: Vec<ErrorRule>,
    /// How long the host may take, in milliseconds; an earlier deadline of the caller counts first.
    #[serde(default = "default_timeout_ms")]
    pub(crate) timeout_ms: u64,
    /// Whether the operation may run twice without harm: then it is tried again when a connection breaks.
    #[serde(default)]
    pub(crate) idempotent: bool,
}

/// An answer that is a refusal.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorRule {
    /// The condition over elementary fields of the response record: `CA-RETCODE == -8`, `CA-RETCODE < 0 and CA-CODE in ["E1", "E2"]`.
    #[schemars(with = "String")]
    pub(crate) when: Spanned<String>,
    /// The gRPC status that the caller gets.
    pub(crate) status: Status,
    /// What the caller reads; the condition when left out.
    pub(crate) message: Option<String>,
}

/// The gRPC statuses that a refusal may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    /// The request itself is wrong.
    InvalidArgument,
    /// Somebody else changed it meanwhile.
    Aborted,
    /// There is no such thing.
    NotFound,
    /// Not allowed.
    PermissionDenied,
    /// Not in the state that this needs.
    FailedPrecondition,
    /// The host asks for fewer calls.
    ResourceExhausted,
    /// The host cannot do it now, and did nothing.
    Unavailable,
}

impl Operation {
    /// The longest a call may be allowed to take, in milliseconds: what the IMS timer can say.
    const TIMEOUT_MAX_MS: u64 = 3_600_000;

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) fn check(&self, host: &Host) -> Result<(), String> {
        if !(1..=Self::TIMEOUT_MAX_MS).contains(&self.timeout_ms) {
            return Err(format!("timeout_ms must be from 1 to {}", Self::TIMEOUT_MAX_MS));
        }
        let needs_trancode = match host.transport {
            TransportKind::ImsConnect => true,
            TransportKind::Tcp => host.framing.unwrap_or_default().header == TrancodeHeader::Trancode,
        };
        match self.trancode.as_deref() {
            None | Some("") if needs_trancode => Err("its host needs a `trancode`".into()),
            Some(trancode) => check_name(trancode).map_err(|problem| format!("trancode: {problem}")),
            None => Ok(()),
        }
    }
}

fn default_timeout_ms() -> u64 {
    10_000
}
