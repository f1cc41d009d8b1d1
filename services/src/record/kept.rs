//! A call as it leaves the bus: its messages decoded, redacted, and encoded again.

use std::collections::HashMap;
use std::time::Duration;

use http::HeaderName;
use passerelle_bus::call::record::{Answer, Captured};
use passerelle_bus::contract::{Contract, Method};
use passerelle_proto::bus::v1;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};

use super::personal::Survey;
use super::pseudonym::Pseudonyms;
use super::redact::{Redaction, Scrub};
use super::status::Outcome;

/// Redacts the calls of one contract, for one recording.
pub(super) struct Keeper {
    contract: std::sync::Arc<Contract>,
    pseudonyms: Pseudonyms,
    /// By path: whether texts that no contract describes may be kept.
    texts: HashMap<String, bool>,
    redacted: Vec<String>,
}

impl Keeper {
    /// With a key of its own. `None` only where the system has no randomness to give.
    pub(super) fn new(contract: std::sync::Arc<Contract>) -> Option<Self> {
        Some(Self::with(contract, Pseudonyms::new()?))
    }

    pub(super) fn with(contract: std::sync::Arc<Contract>, pseudonyms: Pseudonyms) -> Self {
        let mut all = Survey::default();
        let mut texts = HashMap::new();
        for method in contract.methods() {
            let mut own = Survey::default();
            for message in [&method.input, &method.output] {
                own.look(message);
                all.look(message);
            }
            texts.insert(method.path.clone(), own.is_clear());
        }
        Self { contract, pseudonyms, texts, redacted: all.fields }
    }

    /// Full names of the fields whose values are replaced.
    pub(super) fn redacted(&self) -> &[String] {
        &self.redacted
    }

    /// The call without personal data; `None` if its messages are not of the contract's types.
    pub(super) fn keep(&self, call: &Captured) -> Option<v1::RecordedCall> {
        let method = self.method(&call.path)?;
        let mut requests = decode(&method.input, call.requests.iter())?;
        let mut answers = decode(&method.output, call.answers.iter().map(|answer| &answer.message))?;
        let texts = self.texts.get(&call.path).copied().unwrap_or_default();
        let mut outcome = call.status.as_ref().map(|status| Outcome::read(status, texts, self.contract.image.pool()));
        let mut redaction = Redaction::new(&self.pseudonyms);
        if !requests.iter_mut().chain(&mut answers).all(|message| redaction.replace(message)) {
            return None;
        }
        outcome.iter_mut().for_each(|outcome| outcome.replace(&mut redaction));
        let mut scrub = redaction.scrub()?;
        if !requests.iter_mut().chain(&mut answers).all(|message| scrub.clean(message)) {
            return None;
        }
        let requests: Vec<Vec<u8>> = requests.iter().map(|message| message.encode_to_vec()).collect();
        Some(v1::RecordedCall {
            path: call.path.clone(),
            began_after: duration(call.began_after),
            requests,
            requests_cut: call.requests_cut,
            answers: answers.iter().zip(&call.answers).map(|(message, answer)| recorded(message, answer)).collect(),
            answers_cut: call.answers_cut,
            ended_after: duration(call.ended_after),
            request_metadata: metadata(&call.request_metadata, &scrub),
            answer_metadata: metadata(&call.answer_metadata, &scrub),
            trailers: metadata(&call.trailers, &scrub),
            status: outcome.map(|outcome| outcome.clean(&mut scrub)),
        })
    }

    fn method(&self, path: &str) -> Option<&Method> {
        self.contract.methods().find(|method| method.path == path).map(AsRef::as_ref)
    }
}

fn decode<'a>(kind: &MessageDescriptor, messages: impl Iterator<Item = &'a bytes::Bytes>) -> Option<Vec<DynamicMessage>> {
    messages.map(|message| DynamicMessage::decode(kind.clone(), message.clone()).ok()).collect()
}

fn recorded(message: &DynamicMessage, answer: &Answer) -> v1::RecordedAnswer {
    v1::RecordedAnswer {
        message: message.encode_to_vec(),
        after: duration(answer.after),
        after_requests: answer.after_requests as u32,
    }
}

fn metadata(kept: &[(HeaderName, String)], scrub: &Scrub) -> Vec<v1::RecordedMetadata> {
    let entry = |(key, value): &(HeaderName, String)| v1::RecordedMetadata { key: key.to_string(), value: scrub.text(value) };
    kept.iter().map(entry).collect()
}

/// Calls do not take longer than protobuf can say.
fn duration(duration: Duration) -> Option<prost_types::Duration> {
    duration.try_into().ok()
}
