//! What stands in the lines of a recording.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Metadata: values by key.
pub(crate) type Metadata = BTreeMap<String, Vec<String>>;

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// The format's version.
    pub(crate) passerelle_recording: u32,
    pub(crate) contract: String,
    pub(crate) version: u32,
    /// SHA-256 over the contract's descriptors.
    pub(crate) digest: String,
    /// RFC 3339.
    pub(crate) started_at: String,
    /// Full names of the fields whose values are pseudonyms.
    pub(crate) redacted_fields: Vec<String>,
    /// The contract's `google.protobuf.FileDescriptorSet`, base64.
    pub(crate) descriptors: String,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Call {
    /// `package.Service/Method`.
    pub(crate) method: String,
    /// When it began, in milliseconds from the beginning of the recording.
    pub(crate) began_ms: f64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: Metadata,
    /// Messages, as protobuf's JSON.
    pub(crate) requests: Vec<Value>,
    /// There were more.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) requests_cut: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) answer_metadata: Metadata,
    pub(crate) answers: Vec<Answer>,
    /// There were more.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) answers_cut: bool,
    /// When it ended, in milliseconds from its beginning.
    pub(crate) ended_ms: f64,
    /// Nothing where the caller left an answer that streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Outcome>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) trailers: Metadata,
}

/// One message of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    /// When it came, in milliseconds from the call's beginning.
    #[serde(default)]
    pub(crate) after_ms: f64,
    /// How many messages of the caller had come by then.
    #[serde(default)]
    pub(crate) after_requests: u32,
    pub(crate) message: Value,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Outcome {
    /// The code as gRPC writes it: `NOT_FOUND`.
    pub(crate) code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) message: String,
    /// There was a text, which may have held personal data.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) message_left_out: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) details: Vec<Detail>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) details_left_out: u32,
}

/// A detail of an outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detail {
    /// The full name of its type.
    pub(crate) r#type: String,
    /// The message, as protobuf's JSON.
    pub(crate) message: Value,
}

/// The last line of a recording that was ended, not cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    /// How many calls the file has.
    pub(crate) calls: u64,
    /// How many it does not have, by reason.
    pub(crate) left_out: BTreeMap<String, u64>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}
