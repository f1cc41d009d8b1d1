//! The outcome of a call as it may be kept: texts that no contract describes are left out where data is personal.

use passerelle_proto::bus::v1;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Value};
use prost_types::Any;
use tonic::Status;

use super::redact::{Redaction, Scrub};

/// Texts of `google.rpc` details that are names, made by developers.
const NAMES: [&str; 6] = [
    "google.rpc.ErrorInfo.reason",
    "google.rpc.ErrorInfo.domain",
    "google.rpc.BadRequest.FieldViolation.field",
    "google.rpc.BadRequest.FieldViolation.reason",
    "google.rpc.PreconditionFailure.Violation.type",
    "google.rpc.ResourceInfo.resource_type",
];
/// Details that are kept of one outcome.
const MAX_DETAILS: usize = 20;

/// An outcome taken apart: what is kept of it so far.
pub(super) struct Outcome {
    kept: v1::RecordedStatus,
    details: Vec<Detail>,
}

struct Detail {
    type_url: String,
    message: DynamicMessage,
}

impl Outcome {
    /// Reads `status`. `texts` says whether its texts are kept; the contract's own types are those of `pool`.
    pub(super) fn read(status: &Status, texts: bool, pool: &DescriptorPool) -> Self {
        let message = if texts { status.message().to_owned() } else { String::new() };
        let mut kept = v1::RecordedStatus {
            code: status.code().into(),
            message,
            message_left_out: !texts && !status.message().is_empty(),
            ..v1::RecordedStatus::default()
        };
        let all = tonic_types::pb::Status::decode(status.details()).unwrap_or_default().details;
        let google = DescriptorPool::decode(tonic_types::pb::FILE_DESCRIPTOR_SET).unwrap_or_default();
        let mut details = Vec::new();
        for any in all {
            match detail(any, texts, pool, &google).filter(|_| details.len() < MAX_DETAILS) {
                Some(detail) => details.push(detail),
                None => kept.details_left_out += 1,
            }
        }
        Self { kept, details }
    }

    /// The first walk over the details.
    pub(super) fn replace(&mut self, redaction: &mut Redaction<'_>) {
        let before = self.details.len();
        self.details.retain_mut(|detail| redaction.replace(&mut detail.message));
        self.kept.details_left_out += (before - self.details.len()) as u32;
    }

    /// The second walk, and the text.
    pub(super) fn clean(mut self, scrub: &mut Scrub) -> v1::RecordedStatus {
        for detail in &mut self.details {
            scrub.clean(&mut detail.message);
        }
        self.kept.message = scrub.text(&self.kept.message);
        let any = |detail: Detail| Any { type_url: detail.type_url, value: detail.message.encode_to_vec() };
        self.kept.details = self.details.into_iter().map(any).collect();
        self.kept
    }
}

fn detail(any: prost_types::Any, texts: bool, pool: &DescriptorPool, google: &DescriptorPool) -> Option<Detail> {
    let name = any.type_url.rsplit('/').next()?.to_owned();
    let own = pool.get_message_by_name(&name);
    let is_google = name.starts_with("google.rpc.");
    let descriptor = if is_google { google.get_message_by_name(&name)? } else { own? };
    let mut message = DynamicMessage::decode(descriptor, any.value.as_slice()).ok()?;
    if is_google && !texts {
        leave_out_texts(&mut message);
    }
    Some(Detail { type_url: format!("type.googleapis.com/{name}"), message })
}

/// Empties all texts but names, in a message of `google.rpc`.
fn leave_out_texts(message: &mut DynamicMessage) {
    let mut gone = Vec::new();
    for (field, value) in message.fields_mut() {
        let named = NAMES.contains(&field.full_name());
        match value {
            Value::String(_) | Value::Bytes(_) | Value::Map(_) if !named => gone.push(field),
            Value::Message(inner) => leave_out_texts(inner),
            Value::List(list) => {
                list.iter_mut().filter_map(Value::as_message_mut).for_each(leave_out_texts);
                if !named && list.iter().any(|value| value.as_str().is_some()) {
                    gone.push(field);
                }
            }
            _ => {}
        }
    }
    gone.iter().for_each(|field| message.clear_field(field));
}
