//! Recordings become methods: messages read by the contract that stands in the file, with file and line in every error.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use passerelle_bus::contract::Image;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use prost_types::Any;
use serde_json::Value;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::compare::Compared;
use super::method::{Answer, Call, Method, Request};
use super::{Manner, Twin};
use crate::recording::{self, GOOGLE, Metadata, Outcome, Recording};

/// The outcome's text where the recording has none.
const LEFT_OUT: &str = "(the text of this outcome is not in the recording: it may have held personal data)";
/// What a stream ends with that the recording has only the beginning of.
const CUT: &str = "the recording holds no more of this answer than what was sent";

/// Reads all files. Those of one contract must be of the same version.
pub(crate) fn load(files: &[PathBuf], manner: &Manner) -> Result<Twin, String> {
    let mut contracts: BTreeMap<String, Loaded> = BTreeMap::new();
    let mut remarks = Vec::new();
    for file in files {
        let recording = recording::read(file)?;
        remarks.extend(remarks_on(file, &recording));
        let header = &recording.header;
        let digest = recording.image.digest().to_string();
        let loaded = contracts.entry(header.contract.clone()).or_insert_with(|| Loaded::new(file, &recording));
        if loaded.image.digest().to_string() != digest {
            let (other, contract) = (loaded.file.display(), &header.contract);
            return Err(format!(
                "{}: not the same {contract} as in {other}: the contracts differ; start a twin for each",
                file.display()
            ));
        }
        loaded.not_compared.extend(header.redacted_fields.iter().chain(&manner.ignored).cloned());
        for (line, call) in &recording.calls {
            loaded.calls.push((format!("{}:{line}", file.display()), call.clone()));
        }
    }
    let mut twin = Twin { methods: BTreeMap::new(), contracts: Vec::new(), remarks };
    for loaded in contracts.into_values() {
        loaded.into_methods(&mut twin)?;
    }
    Ok(twin)
}

fn remarks_on(file: &Path, recording: &Recording) -> Vec<String> {
    let cut = recording.calls.iter().filter(|(_, call)| call.requests_cut).count();
    let cut = (cut > 0).then(|| format!("{cut} calls are not played: their requests were too large to be recorded whole"));
    let end = match &recording.end {
        None => Some("the recording was broken off; all up to its last whole line is played".to_owned()),
        Some(end) if end.left_out.is_empty() => None,
        Some(end) => Some(format!("{} calls were left out when it was recorded", end.left_out.values().sum::<u64>())),
    };
    cut.into_iter().chain(end).map(|remark| format!("{}: {remark}", file.display())).collect()
}

struct Loaded {
    file: PathBuf,
    image: Image,
    not_compared: HashSet<String>,
    calls: Vec<(String, recording::Call)>,
}

impl Loaded {
    fn new(file: &Path, recording: &Recording) -> Self {
        Self { file: file.to_owned(), image: recording.image.clone(), not_compared: HashSet::new(), calls: Vec::new() }
    }

    fn into_methods(self, twin: &mut Twin) -> Result<(), String> {
        let pool = self.image.pool();
        let mut by_path: BTreeMap<String, (MethodDescriptor, Vec<Call>)> = BTreeMap::new();
        for (place, call) in self.calls.into_iter().filter(|(_, call)| !call.requests_cut) {
            let at = |error: String| format!("{place}: {error}");
            let method = method(pool, &call.method).ok_or_else(|| at(format!("the contract has no method {}", call.method)))?;
            let call = read(&call, &method, place.clone(), &self.not_compared).map_err(at)?;
            by_path.entry(format!("/{}", call_path(&method))).or_insert_with(|| (method, Vec::new())).1.push(call);
        }
        for (path, (method, calls)) in by_path {
            if twin.methods.insert(path.clone(), Arc::new(Method::new(method, self.not_compared.clone(), calls))).is_some() {
                return Err(format!("{path} is in recordings of two contracts; start a twin for each"));
            }
        }
        twin.contracts.push(self.image);
        Ok(())
    }
}

fn call_path(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

fn method(pool: &DescriptorPool, name: &str) -> Option<MethodDescriptor> {
    let (service, method) = name.split_once('/')?;
    pool.get_service_by_name(service)?.methods().find(|known| known.name() == method)
}

fn read(
    call: &recording::Call,
    method: &MethodDescriptor,
    place: String,
    not_compared: &HashSet<String>,
) -> Result<Call, String> {
    let request = |(number, json): (usize, &Value)| {
        let message = message(method.input(), json).map_err(|error| format!("request {}: {error}", number + 1))?;
        let compared =
            Compared::new(&message, not_compared).ok_or_else(|| format!("request {} cannot be compared", number + 1))?;
        Ok::<_, String>(Request { message, compared })
    };
    let answer = |(number, answer): (usize, &recording::Answer)| {
        let message = message(method.output(), &answer.message).map_err(|error| format!("answer {}: {error}", number + 1))?;
        Ok::<_, String>(Answer { message, after: millis(answer.after_ms)?, after_requests: answer.after_requests as usize })
    };
    let status = match &call.status {
        _ if call.answers_cut => Some(Status::data_loss(CUT)),
        None => None,
        Some(outcome) => Some(status(outcome, &call.trailers, method.parent_pool())?),
    };
    Ok(Call {
        place,
        requests: call.requests.iter().enumerate().map(request).collect::<Result<_, _>>()?,
        metadata: metadata(&call.answer_metadata)?,
        answers: call.answers.iter().enumerate().map(answer).collect::<Result<_, _>>()?,
        status,
        ended: millis(call.ended_ms)?,
    })
}

fn message(kind: MessageDescriptor, json: &Value) -> Result<DynamicMessage, String> {
    let name = kind.full_name().to_owned();
    DynamicMessage::deserialize(kind, json).map_err(|error| format!("no {name}: {error}"))
}

fn millis(millis: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(millis / 1e3).map_err(|_| format!("{millis} ms is no time"))
}

fn metadata(written: &Metadata) -> Result<MetadataMap, String> {
    let mut headers = HeaderMap::new();
    for (key, values) in written {
        for value in values {
            let refused = || format!("metadata {key}: cannot be sent");
            let name = HeaderName::from_bytes(key.as_bytes()).map_err(|_| refused())?;
            headers.append(name, HeaderValue::from_str(value).map_err(|_| refused())?);
        }
    }
    Ok(MetadataMap::from_headers(headers))
}

fn status(outcome: &Outcome, trailers: &Metadata, pool: &DescriptorPool) -> Result<Status, String> {
    let code = recording::code(&outcome.code).ok_or_else(|| format!("no status code is named {}", outcome.code))?;
    let text = if outcome.message_left_out { LEFT_OUT } else { &outcome.message };
    let google = DescriptorPool::decode(GOOGLE).unwrap_or_default();
    let mut details = Vec::new();
    for detail in &outcome.details {
        let kind = pool.get_message_by_name(&detail.r#type).or_else(|| google.get_message_by_name(&detail.r#type));
        let kind = kind.ok_or_else(|| format!("detail {}: its type is not known", detail.r#type))?;
        let value = message(kind, &detail.message)?.encode_to_vec();
        details.push(Any { type_url: format!("type.googleapis.com/{}", detail.r#type), value });
    }
    let encoded = match details.as_slice() {
        [] => Vec::new(),
        _ => tonic_types::pb::Status { code: code as i32, message: text.to_owned(), details }.encode_to_vec(),
    };
    Ok(Status::with_details_and_metadata(code, text, encoded.into(), metadata(trailers)?))
}
