//! What makes two reads the same: method, contract, metadata that may change the answer, and the message, byte for byte.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::super::Route;

/// Two reads with the same key have the same answer.
pub(super) type Key = Arc<[u8]>;

/// Metadata that says how a call travels, and nothing about what is asked. All other metadata makes another read.
const TRAVEL: [&str; 17] = [
    "te",
    "host",
    "content-length",
    "cache-control",
    "grpc-timeout",
    "grpc-previous-rpc-attempts",
    "passerelle-retry-budget",
    "traceparent",
    "tracestate",
    "grpc-trace-bin",
    "grpc-tags-bin",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-sampled",
    "x-request-id",
    "x-correlation-id",
];

/// Metadata that makes another read whatever is declared: how the answer is written, and who asks.
const ALWAYS: [&str; 7] = [
    "content-type",
    "accept-encoding",
    "grpc-encoding",
    "grpc-accept-encoding",
    "authorization",
    "proxy-authorization",
    "cookie",
];

/// The key of a read; `vary` names the metadata that may change the answer, else all may but [`TRAVEL`].
pub(super) fn key(route: &Route, vary: Option<&[HeaderName]>, headers: &HeaderMap, message: &[u8]) -> Key {
    let takes_part = |name: &HeaderName| match vary {
        Some(vary) => vary.contains(name) || ALWAYS.contains(&name.as_str()),
        None => !TRAVEL.contains(&name.as_str()),
    };
    let mut metadata: Vec<_> = headers.iter().filter(|(name, _)| takes_part(name)).collect();
    // Stable: the values of one name keep their order, which may mean something.
    metadata.sort_by_key(|(name, _)| name.as_str());
    let mut key = Vec::with_capacity(256 + message.len());
    part(&mut key, route.path.as_bytes());
    part(&mut key, route.contract.as_bytes());
    for (name, value) in metadata {
        part(&mut key, name.as_str().as_bytes());
        part(&mut key, value.as_bytes());
    }
    key.extend_from_slice(message);
    key.into()
}

/// With its length before it, so that nothing can be mistaken for two other parts.
fn part(key: &mut Vec<u8>, bytes: &[u8]) {
    key.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    key.extend_from_slice(bytes);
}
